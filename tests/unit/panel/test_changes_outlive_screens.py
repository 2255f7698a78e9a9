"""What a person asked for is sent, whoever leaves the screen at once; and other small promises of the screens."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from panel.app import PanelApp
from panel.client.access_model import AuditEntries
from panel.client.errors import Failed
from panel.client.events import Event
from panel.client.model import App, Deployment
from panel.client.settings import configured_token
from panel.client.version_model import Version
from panel.screens.audit import AuditScreen
from panel.screens.progress import ProgressScreen
from panel.screens.question import QuestionScreen
from panel.screens.versions import VersionsScreen
from panel.widgets.steps import OUTPUT_LINES, Progress
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.unit.panel.test_slow_answers import Slow, press, until


class Changes(Slow):
    """Sends a change only a moment after it was asked for, as where a connection is opened first."""

    def __init__(self) -> None:
        super().__init__("")
        self.sent: list[str] = []
        self.audits = 0

    async def cancel(self, deployment: str) -> Deployment:
        await self._send("cancel")
        return Deployment.model_validate(answers.deployment())

    async def skip(self, app: str, version: str, *, undo: bool = False) -> None:
        await self._send("skip")

    async def versions(self, app: str) -> tuple[Version, ...]:
        return (Version(version="v2", ref="v2", state=""),)

    async def audit(self, *_asked: Any, **_more: Any) -> AuditEntries:
        self.audits += 1
        if self.audits == 1:
            raise Failed("The journal is away.")
        return AuditEntries(entries=())

    async def _send(self, what: str) -> None:
        self.asked.append(what)
        await asyncio.sleep(0.1)
        self.sent.append(what)


async def test_a_cancel_is_sent_although_its_screen_is_left_at_once() -> None:
    client = Changes()
    app = PanelApp(client, clock=lambda: NOW)
    async with app.run_test() as pilot:
        await app.push_screen(ProgressScreen(client, "shop", "d1", lambda: NOW))
        press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, QuestionScreen))
        press(pilot, "y")
        press(pilot, "enter")
        await until(pilot, lambda: client.sent == ["cancel"])


async def test_a_version_is_skipped_although_its_screen_is_left_at_once() -> None:
    client = Changes()
    app = PanelApp(client, clock=lambda: NOW)
    async with app.run_test() as pilot:
        screen = VersionsScreen(client, App.model_validate(answers.app()), lambda: NOW)
        await app.push_screen(screen)
        await until(pilot, lambda: bool(screen._versions))
        press(pilot, "s")
        await until(pilot, lambda: "skip" in client.asked)
        press(pilot, "escape")
        await until(pilot, lambda: client.sent == ["skip"])


async def test_older_entries_are_not_denied_before_the_first_page_has_come() -> None:
    client = Changes()
    app = PanelApp(client, clock=lambda: NOW)
    async with app.run_test() as pilot:
        await app.push_screen(AuditScreen(client))
        await until(pilot, lambda: client.audits == 1)
        await pilot.press("m")
        await until(pilot, lambda: client.audits == 2)
        assert "There are no older entries." not in [one.message for one in app._notifications]


def test_as_many_lines_of_output_are_kept_as_are_shown() -> None:
    progress = Progress()
    for at in range(1000):
        progress.take(Event(id=at, at=NOW, kind="line", fields={"line": str(at)}))

    assert list(progress.output[""]) == [str(at) for at in range(1000 - OUTPUT_LINES, 1000)]


@pytest.mark.parametrize("made", ["pipe", "endless"])
def test_a_token_file_that_came_with_the_folder_may_be_anything(
    made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHANGEOVER_TOKEN", raising=False)
    monkeypatch.delenv("CHANGEOVER_TOKEN_FILE", raising=False)
    Path(".changeover").mkdir()
    file = Path(".changeover/token")
    os.mkfifo(file) if made == "pipe" else file.symlink_to("/dev/zero")

    assert configured_token() == ""
