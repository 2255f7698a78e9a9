"""What Docker says about a container, as a value."""

from __future__ import annotations

import pytest
from docker.models.containers import Container

from orchestrator.engine.docker.container_status import status_of


def told(**state: object) -> Container:
    known = {"Running": True, "Paused": False, "Restarting": False, "ExitCode": 0, **state}
    return Container(
        attrs={
            "Id": "c0ffee",
            "Name": "/shop-blue",
            "Config": {"Labels": {}},
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
    status = status_of(told(**state))

    assert (status.running, status.paused, status.restarting) == (running, paused, restarting)
