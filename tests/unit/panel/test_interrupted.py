"""Ctrl-C: the command ends at once, without a traceback, and says what goes on without it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator

import pytest

from panel.cli.followed import followed
from panel.cli.progress import Silent
from panel.client.client import Client
from panel.client.errors import NotSignedIn
from panel.client.events import Event
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi
from tests.support.paths import ROOT

INTERRUPTS_ITSELF = """
import signal, sys

class WhileImported:
    def find_spec(self, name, path=None, target=None):
        if name == "panel.cli.apps":
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, WhileImported())
sys.argv = ["changeover", "--version"]
import runpy
runpy.run_module("panel.cli", run_name="__main__")
"""


HEARS_CTRL_C = """
import signal

signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it
import runpy
runpy.run_module("panel.cli", run_name="__main__")
"""


async def test_a_deployment_that_is_no_longer_waited_for_is_said_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with FakeApi() as api:
        api.gives("GET", "/v1/deployments/d42", answers.deployment(state="running"))
        api.events = answers.Events().add("queued", "d42", by="ci").all
        async with Client(api.url, "co_secret") as client:
            asked = await client.deployment("d42")
            following = asyncio.create_task(followed(client, asked, Silent()))
            while not api.requests("GET", "/v1/events"):  # noqa: ASYNC110 (a fake has no event)
                await asyncio.sleep(0.01)
            following.cancel()
            with pytest.raises(asyncio.CancelledError):
                await following

    said = capsys.readouterr().err
    assert "Deployment d42 of shop goes on without this command" in said
    assert "changeover cancel d42" in said


class Revoked(Client):
    """Its token is revoked in the middle of the stream."""

    async def events(
        self, after: int | None = None, deployment: str = "", recent: int = 0
    ) -> AsyncGenerator[Event, None]:
        async for event in super().events(after, deployment, recent):
            yield event
            raise NotSignedIn("Token 'ci' is revoked.")


async def test_a_deployment_whose_token_is_revoked_meanwhile_is_said_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with FakeApi() as api:
        api.gives("GET", "/v1/deployments/d42", answers.deployment(state="running"))
        api.events = answers.Events().add("queued", "d42", by="ci").all
        async with Revoked(api.url, "co_secret") as client:
            asked = await client.deployment("d42")
            with pytest.raises(NotSignedIn, match="is revoked"):
                await followed(client, asked, Silent())

    said = capsys.readouterr().err
    assert "Deployment d42 of shop goes on without this command" in said
    assert "changeover show d42" in said


class Interrupted(Client):
    """Ctrl-C is pressed while something is printed that nobody reads: not at an await."""

    async def events(
        self, after: int | None = None, deployment: str = "", recent: int = 0
    ) -> AsyncGenerator[Event, None]:
        async for event in super().events(after, deployment, recent):
            yield event
            raise KeyboardInterrupt


async def test_a_deployment_whose_progress_nobody_reads_is_said_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeApi() as api:
        api.gives("GET", "/v1/deployments/d42", answers.deployment(state="running"))
        api.events = answers.Events().add("queued", "d42", by="ci").all
        async with Interrupted(api.url, "co_secret") as client:
            asked = await client.deployment("d42")
            with pytest.raises(KeyboardInterrupt):
                await followed(client, asked, Silent())

    assert "Deployment d42 of shop goes on without this command" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "goes_on"),
    [
        (("rollback", "shop", "--yes"), True),
        (("backup", "create", "shop"), True),
        (("status",), False),
        (("check", "shop"), False),
        (("validate", "control-panel-config.example.yaml"), False),
        (("backup", "verify", "shop", "20261126-101500"), False),
    ],
)
def test_what_was_asked_for_and_goes_on_is_said(command: tuple[str, ...], goes_on: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as never_answers:
        environment = os.environ | {
            "CHANGEOVER_URL": f"http://127.0.0.1:{never_answers.getsockname()[1]}",
            "CHANGEOVER_TOKEN": "co_secret",
        }
        with subprocess.Popen(
            [sys.executable, "-c", HEARS_CTRL_C, *command], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        ) as process:
            connection, _ = never_answers.accept()
            with connection:
                assert connection.recv(100)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=20)

    assert process.returncode == 128 + signal.SIGINT
    assert ("goes on without this command" in said) is goes_on
    assert "Traceback" not in said


async def test_what_was_not_sent_is_not_said_to_go_on() -> None:
    """The server takes no more connections: the first one fills its queue."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first:
        first.connect(full.getsockname())
        async with Client(f"http://127.0.0.1:{full.getsockname()[1]}", "co_secret") as client:
            asked = asyncio.create_task(client.rollback("shop"))
            done, _ = await asyncio.wait([asked], timeout=0.2)
            assert not done
            waits = client.waits_for_a_change
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

    assert not waits


def test_the_command_ends_without_a_traceback_while_its_modules_are_imported() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTS_ITSELF], cwd=ROOT, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (128 + signal.SIGINT, "")
