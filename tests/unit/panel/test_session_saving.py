"""A page whose database is away: it loses nothing that was saved, and says so once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from panel.session.found import Found, set_aside
from panel.session.state import DashboardState, SessionState
from panel.session.store import Store, StoreUnavailable
from panel.web.driver import Adopted
from panel.web.session_app import SessionApp
from tests.support.api_answers import NOW
from tests.unit.panel.dashboard.test_dashboard import WITHIN_S, Host, until

SAVED = SessionState(selected="till", dashboard=DashboardState(tab="deployments", words=""))


class Database(Store):
    def __init__(self, found: Found, *, is_there: bool) -> None:
        self.is_there = is_there
        self.found = found
        self.loads = self.saves = 0

    def load(self, session: str) -> Found:
        self.loads += 1
        self._answer()
        return self.found

    def save(self, session: str, state: SessionState) -> None:
        self.saves += 1
        self._answer()
        self.found = Found(state)

    def turns(self, session: str) -> Any:  # Any: nothing is asked of it
        return None

    def _answer(self) -> None:
        if not self.is_there:
            raise StoreUnavailable("The panel's database does not answer.")


class Page(SessionApp):
    def __init__(self, database: Database) -> None:
        super().__init__(database, "http://127.0.0.1:1")
        self.client = Host()
        self._dashboard._client = self.client
        self.clock = lambda: NOW

    def begin_in_terminal(self) -> None:
        """It is begun when it is adopted."""

    @property
    def told(self) -> list[str]:
        return [one.message for one in self._notifications]


@asynccontextmanager
async def adopted(database: Database) -> AsyncIterator[tuple[Pilot[Any], Page]]:
    page = Page(database)
    async with page.run_test(size=(120, 40), notifications=True) as pilot, asyncio.timeout(WITHIN_S):
        page.post_message(Adopted("s1", "co_secret", "UTC"))
        await until(pilot, page.restored.is_set)
        yield pilot, page


async def test_what_was_saved_comes_back_when_the_database_does_and_is_not_saved_over() -> None:
    database = Database(Found(SAVED), is_there=False)
    async with adopted(database) as (pilot, page):
        await until(pilot, lambda: database.loads > 2)
        assert database.saves == 0
        assert await page.save_state() == "The panel's database does not answer."
        assert sum("does not answer" in one for one in page.told) == 1
        database.is_there = True
        await until(pilot, lambda: (page.state.selected, page.state.dashboard.tab) == ("till", "deployments"))
        await until(pilot, lambda: database.saves > 0)


async def test_a_person_who_has_gone_on_meanwhile_is_left_where_they_are() -> None:
    database = Database(Found(SAVED), is_there=False)
    async with adopted(database) as (pilot, page):
        await pilot.press("3")
        database.is_there = True
        await until(pilot, lambda: database.saves > 0 and database.found.state is not None)
        assert database.found.state is not None
        assert database.found.state.dashboard.tab == page.state.dashboard.tab == "logs"


async def test_a_database_that_goes_away_later_is_said_once_and_saving_goes_on_when_it_is_back() -> None:
    database = Database(Found(), is_there=True)
    async with adopted(database) as (pilot, page):
        await until(pilot, lambda: database.saves > 0)
        database.is_there = False
        await pilot.press("down")
        before = database.saves
        await until(pilot, lambda: database.saves > before + 1)
        assert sum("is not saved now" in one for one in page.told) == 1
        database.is_there = True
        await until(pilot, lambda: database.found.state is not None and database.found.state.selected == "till")


async def test_a_state_that_was_set_aside_is_told() -> None:
    async with adopted(Database(set_aside("it cannot be read", "s1~1"), is_there=True)) as (pilot, page):
        await until(pilot, lambda: any("It is kept as s1~1." in one for one in page.told))
