"""The log of a container on a real Docker: both streams, each as a whole."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from border.secrets import Secrets
from orchestrator.domain.log_line import LogRange
from orchestrator.engine.base import LABEL_NAME, LABEL_STACK
from orchestrator.engine.docker.engine import DockerEngine

IMAGE = "debian:trixie-slim"
SECRET = "correct-horse-battery-staple"
SPEAKS = "echo key correct-horse-; sleep 0.1; echo oops >&2; sleep 0.1; echo battery-staple end; sleep 60"
SHOWN = ["oops", "key [hidden]", "[hidden] end"]


@pytest.fixture
def container() -> Iterator[Container]:
    name = f"t{secrets.token_hex(3)}"
    client = docker.from_env()
    labels = {LABEL_STACK: name, LABEL_NAME: name}
    made = client.containers.run(IMAGE, ["sh", "-c", SPEAKS], name=name, labels=labels, detach=True)
    yield made
    made.remove(force=True, v=True)
    client.close()


async def test_a_secret_over_two_lines_of_one_stream_is_hidden_in_a_log_with_both(container: Container) -> None:
    known, name = Secrets(), str(container.name)
    known.know([SECRET])
    engine = DockerEngine(name, name, known)
    following = engine.follow_logs(name, LogRange(10))

    async with asyncio.timeout(20):
        followed = [(await anext(following)).text for _ in SHOWN]
    await following.aclose()

    assert followed == SHOWN
    assert list(await engine.logs(name, 10)) == SHOWN
