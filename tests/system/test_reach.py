"""A container that tries to reach everything reaches what docs/security.md says, and nothing else."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import docker
import pytest

from orchestrator.engine.base import ContainerSpec
from orchestrator.engine.docker.container_creation import create
from tests.support.addresses import create_network
from tests.support.images import build_image
from tests.support.paths import ROOT

PROGRAM = (ROOT / "tests" / "support" / "reach.py").read_text()
PIDS = 40


def documented() -> dict[str, str]:
    """The table of the page: what an app's container tries, and whether it succeeds."""
    text = (ROOT / "docs" / "security.md").read_text().split("## What an app's container can reach")[1]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1].partition(" ")[0].rstrip(",") for cells in rows[2:]}


@pytest.fixture
def network() -> Iterator[Any]:
    """A network of a stack with another app, which listens on port 8000."""
    client, name = docker.from_env(), f"t{secrets.token_hex(3)}"
    create_network(client, name)
    other = client.containers.run(
        build_image("orchestrator"), ["python", "-m", "http.server", "8000"], name=f"{name}-other", network=name,
        detach=True,
    )  # fmt: skip
    try:
        other.reload()
        yield client, name, other.attrs["NetworkSettings"]["Networks"][name]
    finally:
        other.remove(force=True)
        for volume in client.volumes.list(filters={"name": f"{name}-data"}):
            volume.remove(force=True)
        client.networks.get(name).remove()
        client.close()


def test_an_apps_container_reaches_what_the_page_says_and_nothing_else(network: Any) -> None:
    client, name, other = network
    with closing(socket.create_server((other["Gateway"], 0))) as listener:
        spec = ContainerSpec(
            name=f"{name}-app", image=build_image("orchestrator"), labels={}, network=name, pids=PIDS, memory="200m",
            owned=((f"{name}-data", "/data"),), mounts=(),
            command=(
                "python", "-c", PROGRAM, other["IPAddress"], other["Gateway"], str(PIDS),
                str(listener.getsockname()[1]),
            ),
        )  # fmt: skip
        app = create(client, spec, name)
        try:
            app.start()
            app.wait(timeout=60)
            said = json.loads(app.logs(stdout=True, stderr=False))
        finally:
            app.remove(force=True, v=True)

    assert {what: how.partition(":")[0] for what, how in said.items()} == documented(), said
