"""`make up` says which stack holds the address range that it needs, and which command frees it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.paths import ROOT

RANGE = "172.30.0.0/16"


def network(name: str, *ranges: str, stack: str = "", containers: tuple[str, ...] = ()) -> dict[str, Any]:
    labels = {"com.docker.compose.project": stack} if stack else {}
    used_by = {str(at): {"Name": one} for at, one in enumerate(containers)}
    config = [{"Subnet": one} for one in ranges]
    return {"Name": name, "Labels": labels, "IPAM": {"Config": config}, "Containers": used_by}


def said(*networks: dict[str, Any]) -> tuple[int, str]:
    command = [sys.executable, str(ROOT / "tools" / "address-range"), RANGE]
    ended = subprocess.run(command, input=json.dumps(networks), capture_output=True, text=True)
    return ended.returncode, ended.stdout


@pytest.mark.parametrize(
    ("holder", "whose", "command"),
    [
        (
            network("old", RANGE, stack="old", containers=("old-shop-blue-1",)),
            "held by the stack old: network old has 172.30.0.0/16, and 1 running container uses it",
            "docker rm --force $(docker ps --all --quiet --filter label=changeover.stack=old) && docker network rm old",
        ),
        (
            network("old", "172.30.4.0/24", stack="old", containers=("old-orchestrator-1", "old-proxy-1")),
            "held by the stack old",
            "CHANGEOVER_STACK=old docker compose down",
        ),
        (network("lab", "172.16.0.0/12"), "held by the network lab", "docker network rm lab"),
    ],
)
def test_the_holder_is_named_with_the_command_and_a_free_range(
    holder: dict[str, Any], whose: str, command: str
) -> None:
    code, text = said(network("none"), network("six", "fd00::/64"), network("bridge", "172.17.0.0/16"), holder)

    assert code == 0
    assert whose in text
    assert command in text
    if holder["Name"] == "old":
        assert "CHANGEOVER_SUBNET=172.31.0.0/16 CHANGEOVER_IP_RANGE=172.31.0.0/24 make up" in text


def test_another_range_is_named_when_no_network_of_docker_holds_it() -> None:
    code, text = said(network("bridge", "172.17.0.0/16"), network("none"))

    assert code == 0
    assert "no network of Docker has it: 'ip route'" in text
    assert "CHANGEOVER_SUBNET=172.31.0.0/16 CHANGEOVER_IP_RANGE=172.31.0.0/24 make up" in text
