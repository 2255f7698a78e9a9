"""What `make up` does with a container that does not stay up; Docker is a program that notes its orders."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.addresses import free_port
from tests.support.paths import ROOT

DOCKER = """#!/bin/sh
echo "$*" >> "$ORDERS"
case "$*" in
    *"--status running"*) [ -z "$OURS_RUN" ] || echo c0ffee;;
    *"--status restarting"*) [ -z "$RESTARTING" ] || echo c0ffee;;
    "network ls"*) echo old;;
    "network inspect --format"*) [ -n "$RANGES" ] && echo "$RANGES";;
    "network inspect"*) echo "$NETWORKS";;
    "compose up"*orchestrator) [ -z "$SAYS" ] || echo "$SAYS"; exit ${STARTS_WITH:-1};;
esac
"""


def make_up(folder: Path, checkout: Path = ROOT, **more: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """How it ended, and its orders to Docker."""
    docker, orders = folder / "docker", folder / "orders"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "ORDERS": str(orders),
        "CHANGEOVER_STACK": "changeover",
        "RESTARTING": "",
        "OURS_RUN": "",
        "SAYS": "",
        "NETWORKS": "[]",
        "RANGES": "",
        "CHANGEOVER_PORT": str(free_port()),
        "CHANGEOVER_API_PORT": str(free_port()),
    }
    ended = subprocess.run(
        ["bash", str(checkout / "tools" / "up")], env=environment | more, capture_output=True, text=True, timeout=60
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


@pytest.mark.parametrize(
    "says",
    [
        "invalid pool request: Pool overlaps with other one on this address space",
        "cannot create network c0ffee (br-1): conflicts with network beef (br-2): networks have overlapping IPv4",
    ],
)
def test_whoever_holds_the_address_range_is_named_by_whichever_words_docker_says_it(tmp_path: Path, says: str) -> None:
    networks = [{"Name": "lab", "IPAM": {"Config": [{"Subnet": "172.30.0.0/16"}]}}]

    ended, _ = make_up(tmp_path, SAYS=says, NETWORKS=json.dumps(networks), CHANGEOVER_SUBNET="172.30.0.0/16")

    assert ended.returncode == 1
    assert "is held by the network lab" in ended.stderr
    assert "docker network rm lab" in ended.stderr


@pytest.mark.parametrize(
    "says",
    [
        "failed to create network changeover: Error response from daemon: invalid network config:\n"
        "no matching subnet for range 172.30.0.0/24",
        "invalid ip-range 10.21.0.0/16: CIDR block is bigger than its parent subnet 10.21.0.0/24",
        "parent subnet 10.21.0.0/24 doesn't contain ip-range 172.30.0.0/24",
    ],
)
def test_of_two_ranges_that_do_not_fit_both_are_named_with_two_that_do(tmp_path: Path, says: str) -> None:
    ended, _ = make_up(tmp_path, SAYS=says, CHANGEOVER_SUBNET="10.21.0.0/24")

    assert ended.returncode == 1
    assert "CHANGEOVER_IP_RANGE=172.30.0.0/24 must be a part of CHANGEOVER_SUBNET=10.21.0.0/24." in ended.stderr
    assert "CHANGEOVER_SUBNET=10.20.0.0/16 CHANGEOVER_IP_RANGE=10.20.0.0/24 make up" in ended.stderr


@pytest.mark.parametrize(
    ("has", "asked", "is_told"),
    [
        ("172.30.0.0/16 172.30.0.0/24", "172.26.0.0/16 172.26.0.0/24", True),
        ("172.26.0.0/16 172.26.9.0/24", "172.26.0.0/16 172.26.0.0/24", True),
        ("172.26.0.0/16 ", "172.26.0.0/16 172.26.0.0/24", True),
        ("172.26.0.0/16 172.26.0.0/24", "172.26.0.0/16 172.26.0.0/24", False),
        ("", "172.26.0.0/16 172.26.0.0/24", False),
        ("172.26.0.0/16 172.26.0.0/24", "", False),
    ],
    ids=["another", "another part", "no part", "the same", "no network yet", "nothing asked"],
)
def test_a_network_that_exists_with_another_range_than_asked_is_told(
    tmp_path: Path, has: str, asked: str, is_told: bool
) -> None:
    """Compose leaves it as it is, without a word."""
    subnet, _, part = asked.partition(" ")

    ended, given = make_up(tmp_path, RANGES=has, CHANGEOVER_SUBNET=subnet, CHANGEOVER_IP_RANGE=part)

    assert ("The network changeover exists with" in ended.stderr) is is_told
    assert (f"Not used: CHANGEOVER_SUBNET={subnet} CHANGEOVER_IP_RANGE={part}." in ended.stderr) is is_told
    assert "compose build --quiet" in given, "it goes on with the network as it is"


CHANGEOVER = """#!/bin/sh
[ "$1" != validate ] || { echo "apps.shop.run.env_file: the file cannot be read" >&2; exit 2; }
"""


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Nothing is printed."""


def test_an_error_that_validate_finds_is_told_and_not_that_another_file_is_in_use(tmp_path: Path) -> None:
    """A file that names an `env_file` which is not there is valid, and in use: `doctor` says so."""
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "tools", checkout / "tools")
    command = checkout / ".venv" / "bin" / "changeover"
    command.parent.mkdir(parents=True)
    command.write_text(CHANGEOVER)
    command.chmod(0o755)
    with HTTPServer(("127.0.0.1", 0), Ready) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        more = {
            "CHANGEOVER_API_PORT": str(api.server_port),
            "OURS_RUN": "yes",
            "CHANGEOVER_TOKEN": "t",
            "STARTS_WITH": "0",
        }
        ended, _ = make_up(tmp_path, checkout, **more)
        api.shutdown()

    assert ended.returncode == 0, ended.stderr
    assert "apps.shop.run.env_file: the file cannot be read" in ended.stderr
    assert "the last valid one is in use." not in ended.stderr
    assert "changeover doctor" in ended.stderr
