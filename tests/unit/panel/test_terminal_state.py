"""`changeover panel` goes on with what its last run showed, however that ended; a full disk costs only the saving."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.errors import Unreachable
from panel.client.model import Apps
from panel.session.form import FORM
from panel.session.state import SessionState
from panel.session.state_file import StateFile
from panel.session.unavailable import StoreUnavailable
from panel.terminal_app import TerminalApp
from tests.support.api_answers import NOW
from tests.unit.panel.dashboard.test_dashboard import WITHIN_S, Host, until

URL = "http://127.0.0.1:8090"


class Run(TerminalApp):
    def __init__(self, folder: Path, host: Host | None = None) -> None:
        super().__init__(host or Host(), StateFile(folder, URL))
        self.driver_class = HeadlessDriver
        self.clock = lambda: NOW


class Away(Host):
    """An orchestrator that does not answer until `comes`."""

    is_there = False

    async def status(self) -> Apps:
        if not self.is_there:
            raise Unreachable("It does not answer.")
        return await super().status()


def saved(folder: Path) -> SessionState | None:
    file = StateFile(folder, URL)
    try:
        return file.load().state
    finally:
        file.close()


def told(panel: PanelApp) -> list[str]:
    return [one.message for one in panel._notifications]


async def begun(pilot: Pilot[Any], panel: PanelApp) -> None:
    await until(pilot, panel.restored.is_set)


async def test_the_next_run_shows_what_the_last_one_showed(tmp_path: Path) -> None:
    one = Run(tmp_path)
    async with one.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await begun(pilot, one)
        await pilot.press("down", "2", "q")
    one.save_last()

    two = Run(tmp_path)
    async with two.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await begun(pilot, two)
        await until(pilot, lambda: two.state.dashboard.tab == "deployments")
        assert two.state.selected == "till"


async def test_a_run_that_is_killed_has_lost_a_second_at_the_most(tmp_path: Path) -> None:
    one = Run(tmp_path)
    async with one.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await begun(pilot, one)
        await pilot.press("down")
        await until(pilot, lambda: b"till" in b"".join(one.read_bytes() for one in tmp_path.glob("panel/*.json")))


async def test_a_run_that_ends_before_the_orchestrator_has_answered_loses_nothing(tmp_path: Path) -> None:
    before = StateFile(tmp_path, URL)
    before.load()
    before.save(SessionState(selected="till"))
    before.close()
    one = Run(tmp_path, Away())
    async with one.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await begun(pilot, one)
        await pilot.press("q")
    one.save_last()
    found = saved(tmp_path)
    assert found is not None
    assert found.selected == "till"

    host = Away()
    two = Run(tmp_path, host)
    async with two.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await begun(pilot, two)
        host.is_there = True
        two._refresh()
        await until(pilot, lambda: two._dashboard.selected == "till")


async def test_a_state_of_a_newer_release_is_set_aside_and_the_person_is_told(tmp_path: Path) -> None:
    (tmp_path / "panel").mkdir()
    name = StateFile(tmp_path, URL)._name
    (tmp_path / "panel" / f"{name}-1.json").write_text(f'{{"form": {FORM + 1}}}')

    panel = Run(tmp_path)
    async with panel.run_test(size=(120, 40), notifications=True) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: any("a newer release has saved it" in one for one in told(panel)))


async def test_a_full_disk_is_said_once_and_saving_goes_on_when_there_is_room(tmp_path: Path) -> None:
    panel = Run(tmp_path)
    kept: list[str] = []
    is_full = True

    def keep(state: SessionState) -> None:
        kept.append(state.selected)
        if is_full:
            raise StoreUnavailable("No space left on device.")

    panel._saver._keep = keep
    async with panel.run_test(size=(120, 40), notifications=True) as pilot, asyncio.timeout(WITHIN_S):
        await begun(pilot, panel)
        await until(pilot, lambda: len(kept) > 2)
        assert sum("No space left on device." in one for one in told(panel)) == 1
        is_full = False
        await pilot.press("down")
        await until(pilot, lambda: kept[-1] == "till" and not panel._saver._fails)
