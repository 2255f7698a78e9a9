"""What a sidecar prints on a real Docker is heard whole, or not believed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, ContainerSpec, Role
from orchestrator.engine.docker.engine import DockerEngine
from orchestrator.errors import EngineError
from tests.support.engine_socket import EngineSocket

IMAGE = "debian:trixie-slim"


@pytest.fixture
def stack() -> Iterator[str]:
    name = f"t{secrets.token_hex(3)}"
    yield name
    client = docker.from_env()
    left = client.containers.list(all=True, filters={"label": f"changeover.stack={name}"}, ignore_removed=True)
    for one in left:
        one.remove(force=True, v=True)
    client.close()
    assert not left


def sidecar(stack: str, script: str) -> ContainerSpec:
    labels = {LABEL_APP: "shop", LABEL_ROLE: Role.SIDECAR}
    return ContainerSpec(f"{stack}-shop-migrate", IMAGE, labels, "", command=("sh", "-c", script), init=True)


@pytest.fixture
def engine_socket(tmp_path: Path) -> Iterator[EngineSocket]:
    to_engine = EngineSocket(tmp_path / "docker.sock")
    yield to_engine
    to_engine.close()


def test_a_sidecar_that_outlives_its_engine_is_not_believed(
    stack: str, engine_socket: EngineSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended with exit code 0, and what it had printed after the restart was missing."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{engine_socket.path}")
    lines: list[str] = []

    def heard(line: str) -> None:
        lines.append(line)
        engine_socket.cut()

    with pytest.raises(EngineError, match="not all of its output is known"):
        asyncio.run(DockerEngine(stack, stack).run_to_end(sidecar(stack, "echo one; sleep 20; echo two"), 60, heard))

    assert lines == ["one"]
