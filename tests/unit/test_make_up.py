"""What `make up` does with a container that waits for its restart; Docker is a program that notes its orders."""

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
    "compose up"*orchestrator) exit 1;;
esac
"""


@pytest.mark.parametrize("restarting", [True, False])
def test_a_container_that_waits_for_its_restart_is_made_anew_before_it_is_started(
    tmp_path: Path, restarting: bool
) -> None:
    """The first `make up` with a mended configuration waited for the pause after the start that had failed."""
    docker, orders = tmp_path / "docker", tmp_path / "orders"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "ORDERS": str(orders),
        "RESTARTING": "yes" if restarting else "",
        "CHANGEOVER_PORT": str(free_port()),
        "CHANGEOVER_API_PORT": str(free_port()),
    }

    ended = subprocess.run(["bash", str(ROOT / "tools" / "up")], env=environment, capture_output=True, text=True)

    given = orders.read_text().splitlines()
    removed = [place for place, order in enumerate(given) if order == "compose rm --stop --force orchestrator"]
    (started,) = [place for place, order in enumerate(given) if order.startswith("compose up --detach --wait")]
    assert bool(removed) is restarting
    assert all(place < started for place in removed)
    # A start that fails leaves a proxy that serves what it served before.
    assert ended.returncode == 1
    assert "compose up --detach --no-deps --no-recreate proxy" in given[started + 1 :]
