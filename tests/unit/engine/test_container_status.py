"""What Docker says about a container, as a value."""

from __future__ import annotations

import pytest
from docker.models.containers import Container

from orchestrator.engine.base import LABEL_NAME
from orchestrator.engine.docker.container_status import status_of


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
    status = status_of(told(state))

    assert (status.running, status.paused, status.restarting) == (running, paused, restarting)


def test_a_container_that_was_renamed_by_hand_has_the_name_by_which_it_is_found() -> None:
    """The methods of the engine find a container by the name under which it was created, which a label keeps."""
    status = status_of(told({}, **{LABEL_NAME: "stack-shop-blue-1"}))

    assert (status.name, status.called) == ("stack-shop-blue-1", "shop-blue")
