"""What Docker says about a container, as a value."""

from __future__ import annotations

from typing import Any

import pytest
from docker.models.containers import Container

from orchestrator.engine.base import LABEL_NAME
from orchestrator.engine.docker.container_status import placed, status_of


def told(state: dict[str, object], **labels: str) -> Container:
    known = {"Running": True, "Paused": False, "Restarting": False, "ExitCode": 0, **state}
    return Container(
        attrs={
            "Id": "c0ffee",
            "Name": "/shop-blue",
            "Config": {"Labels": labels},
            "State": known,
            "NetworkSettings": {"Networks": {}},
            "Image": "sha256:1",
        }
    )


@pytest.mark.parametrize(
    ("state", "running", "paused", "restarting"),
    [
        ({}, True, False, False),
        ({"Paused": True}, True, True, False),
        ({"Running": False, "ExitCode": 137}, False, False, False),
        # While it waits for its restart, Docker says that a container runs.
        ({"Restarting": True, "ExitCode": 1}, False, False, True),
    ],
)
def test_a_container_that_waits_for_its_restart_does_not_run(
    state: dict[str, object], *, running: bool, paused: bool, restarting: bool
) -> None:
    status = status_of(told(state), "changeover")

    assert (status.running, status.paused, status.restarting) == (running, paused, restarting)


def test_a_container_that_was_renamed_by_hand_has_the_name_by_which_it_is_found() -> None:
    """The methods of the engine find a container by the name under which it was created, which a label keeps."""
    status = status_of(told({}, **{LABEL_NAME: "stack-shop-blue-1"}), "changeover")

    assert (status.name, status.called) == ("stack-shop-blue-1", "shop-blue")


@pytest.mark.parametrize(
    ("networks", "address"),
    [
        ({"changeover": {"IPAMConfig": {"IPv4Address": "172.30.1.5"}, "IPAddress": ""}}, "172.30.1.5"),
        ({"changeover": {"IPAMConfig": None, "IPAddress": "172.30.0.4"}}, "172.30.0.4"),
        ({"a": {"IPAMConfig": None, "IPAddress": "10.0.0.2"}, "changeover": {"IPAddress": "172.30.1.5"}}, "172.30.1.5"),
        ({"a": {"IPAMConfig": None, "IPAddress": "10.0.0.2"}}, ""),
        ({}, ""),
    ],
)
def test_the_address_of_a_container_is_that_in_the_network_of_the_stack(
    networks: dict[str, object], address: str
) -> None:
    """Docker lists the networks by name: that of a database came first, and a lost journal was rebuilt with it."""
    container = told({})
    container.attrs["NetworkSettings"]["Networks"] = networks

    assert status_of(container, "changeover").address == address


class Docker:
    """Docker's client, as far as its list of containers. Anything else that is asked of it fails."""

    def __init__(self, *listed: dict[str, object]) -> None:
        self.api, self._listed, self.asked = self, listed, 0

    def containers(self, **_: object) -> list[dict[str, object]]:
        self.asked += 1
        return list(self._listed)


@pytest.mark.parametrize(
    ("state", "running", "paused"),
    [
        ("created", False, False),
        ("running", True, False),
        ("paused", True, True),
        ("restarting", False, False),
        ("exited", False, False),
        ("dead", False, False),
    ],
)
def test_where_all_containers_are_takes_one_request(state: str, *, running: bool, paused: bool) -> None:
    """With the details of each, 50 apps would cost 50 requests more, each 20 s."""
    networks = {"changeover": {"IPAMConfig": {"IPv4Address": "10.0.0.7"}, "IPAddress": ""}}
    listed: dict[str, object] = {"State": state, "NetworkSettings": {"Networks": networks}}
    docker: Any = Docker(
        {**listed, "Names": ["/renamed"], "Labels": {LABEL_NAME: "stack-shop-blue-1"}},
        {**listed, "Names": ["/by-hand"], "Labels": None, "NetworkSettings": {"Networks": {"other": {}}}},
    )

    shop, other = placed(docker, "stack", "changeover")

    assert (shop.name, shop.address, shop.running, shop.paused) == ("stack-shop-blue-1", "10.0.0.7", running, paused)
    assert (other.name, other.address, other.labels) == ("by-hand", "", {})
    assert docker.asked == 1
