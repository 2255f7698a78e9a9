"""What `make up` does with a container that does not stay up; Docker is a program that notes its orders."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.addresses import free_port
from tests.support.paths import ROOT

DOCKER = """#!/bin/sh
echo "$*" >> "$ORDERS"
case "$*" in
    *"--status restarting"*) [ -z "$RESTARTING" ] || echo c0ffee;;
    "compose up"*orchestrator) exit ${STARTS_WITH:-1};;
esac
"""


def make_up(folder: Path, **more: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """How it ended, and its orders to Docker."""
    docker, orders = folder / "docker", folder / "orders"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "ORDERS": str(orders),
        "RESTARTING": "",
        "CHANGEOVER_PORT": str(free_port()),
        "CHANGEOVER_API_PORT": str(free_port()),
    }
    ended = subprocess.run(
        ["bash", str(ROOT / "tools" / "up")], env=environment | more, capture_output=True, text=True, timeout=60
    )
    return ended, orders.read_text().splitlines()


@pytest.mark.parametrize("restarting", [True, False])
def test_a_container_that_waits_for_its_restart_is_made_anew_before_it_is_started(
    tmp_path: Path, restarting: bool
) -> None:
    """The first `make up` with a mended configuration waited for the pause after the start that had failed."""
    ended, given = make_up(tmp_path, RESTARTING="yes" if restarting else "")

    removed = [place for place, order in enumerate(given) if order == "compose rm --stop --force orchestrator"]
    (started,) = [
        place for place, order in enumerate(given) if order == "compose up --detach --quiet-pull orchestrator"
    ]
    assert bool(removed) is restarting
    assert all(place < started for place in removed)
    # A start that fails leaves a proxy that serves what it served before.
    assert ended.returncode == 1
    assert "compose up --detach --no-deps --no-recreate proxy" in given[started + 1 :]


def test_an_orchestrator_that_ends_again_and_again_is_not_waited_for(tmp_path: Path) -> None:
    ended, given = make_up(tmp_path, RESTARTING="yes", STARTS_WITH="0")

    assert ended.returncode == 1
    assert "The start failed. See the lines above." in ended.stderr
    assert any(order.startswith("compose logs") for order in given)
    assert not any(order.startswith("compose up --detach --wait") for order in given), "the proxy is left as it is"
