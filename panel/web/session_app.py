"""The panel's app for one browser session, which runs in a process that the template has forked."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from contextlib import suppress
from datetime import datetime

from textual import work

from panel.app import PanelApp
from panel.client.client import Client
from panel.client.errors import NotSignedIn
from panel.client.events import Draining, Event
from panel.client.settings import configured_url
from panel.saver import EVERY_S, Saver
from panel.screens.replaced import ReplacedScreen
from panel.session.found import Found
from panel.session.state import SessionState
from panel.session.store import Store, StoreUnavailable
from panel.uninterrupted import in_thread
from panel.version import release
from panel.web.driver import Adopted, Hidden, PaintWanted, PanelDriver, Replaced, SaveWanted, Shown
from panel.web.rest import Rest
from panel.web.successor import PANEL, Successor, stays_until, successor
from panel.web.zone import zone_of

RESTORED_WITHIN_S = 2.0
"""Then the page gets what there is, as when the orchestrator does not answer."""

EVENTS_WITHIN_S = 0.2
"""After that: there are none where nothing has been deployed yet."""


class SessionApp(PanelApp):
    """Paints its first screen, waits until the server assigns it a session, then continues that session."""

    def __init__(self, store: Store, url: str) -> None:
        super().__init__(Client(url, token=""))
        self._store = store
        self._session = ""
        self._url = url
        self._not_known = ""
        """Why it is not known what the database has of the session. Until it is, nothing is saved over that."""
        self._saver = Saver(self._keep, self._say_not_saved)
        self._rest = Rest(self)
        self._draining: Draining | None = None
        self._drain_told_at: datetime | None = None

    def on_ready(self) -> None:
        self.call_after_refresh(self._tell, "painted")
        # The template has switched it off: a collection while the first picture is made would only delay that.
        self.call_after_refresh(gc.enable)

    def begin_in_terminal(self) -> None:
        """Nothing: a session begins when the server assigns it. The template's own first picture asks for nothing,
        which would stand in the audit log as refused, since it has no token."""

    async def on_adopted(self, message: Adopted) -> None:
        self._session = message.session
        self.client.sign_in(message.token)
        self.memory.turns = self._store.turns(message.session)
        self.zone = zone_of(message.zone)
        found = await self._stored()
        self.begin(found.state if found else None)
        self.set_interval(EVERY_S, self._save_if_changed)
        self._show_when_restored()
        if not found:
            self._restore_late()

    @work
    async def _show_when_restored(self) -> None:
        """The first picture that leaves the process is the restored one. Until then, the page keeps its last one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RESTORED_WITHIN_S):
                await self.restored.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(EVENTS_WITHIN_S):
                await self.caught_up.wait()
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        """One picture of the whole screen, to which what is painted later adds."""
        if isinstance(self._driver, PanelDriver):
            self._driver.show()
        screen = self.screen
        self._display(screen, screen._compositor.render_update(full=True, screen_stack=self._background_screens))

    async def _stored(self) -> Found | None:
        """None if the database does not answer."""
        try:
            found = await in_thread(self._store.load, self._session)
        except StoreUnavailable as error:
            if not self._not_known:
                print(error, file=sys.stderr)
            self._not_known = str(error)
            return None
        self._not_known = ""
        if found.notice:
            self.notify(found.notice, severity="warning", timeout=20, markup=False)
        return found

    @work
    async def _restore_late(self) -> None:
        """The page has begun anew. It is restored if the person has changed nothing by the time it is known."""
        says = "The panel's database does not answer: what this page showed comes back when it does."
        self.notify(says, severity="warning", timeout=15, markup=False)
        await self.restored.wait()
        new = self.state
        found = await self._stored()
        while found is None:
            await asyncio.sleep(EVERY_S)
            found = await self._stored()
        if found.state and _arranged(self.state) == _arranged(new):
            self._restore(found.state)

    def on_paint_wanted(self, _message: PaintWanted) -> None:
        self.call_after_refresh(self._tell, "painted")

    async def on_save_wanted(self, _message: SaveWanted) -> None:
        await self.save_state()
        self._tell("saved")

    async def on_hidden(self, _message: Hidden) -> None:
        await self.save_state()
        self._rest.begin()
        self.stop_following()

    def on_shown(self, _message: Shown) -> None:
        if self._rest.is_on:
            self._rest.end()
            self.follow_again()

    def on_replaced(self, _message: Replaced) -> None:
        self._prepare_to_move()

    @work(exclusive=True, group="move")
    async def _prepare_to_move(self) -> None:
        """Say what is new and count down; at once where nobody can say what is live now, or nobody looks."""
        if any(isinstance(one, ReplacedScreen) for one in self.screen_stack):
            return
        found = None if self._rest.is_on else await successor(self.client)
        if found is None:
            await self._move()
            return
        self._tell("counts")
        if await self.push_screen_wait(ReplacedScreen(found.title, found.version, found.says)):
            await self._move()
        else:
            self._stay(found)

    async def _move(self) -> None:
        """The server closes the page's connection, and the page connects to the new release."""
        await self.save_state()
        self._tell("moves")

    def _stay(self, with_new: Successor) -> None:
        until = stays_until(self._draining, self._drain_told_at, self.clock())
        says = f"You stay with {release()} {until}, then this page moves to {with_new.version}. Ctrl+R moves it now."
        self.notify(says, timeout=10, markup=False)

    def _take(self, event: Event) -> None:
        super()._take(event)
        if event.app == PANEL and isinstance(event.what, Draining):
            self._draining, self._drain_told_at = event.what, event.at

    async def _save_if_changed(self) -> None:
        if not self._not_known:
            await self._saver.save_if_changed(lambda: self.state)

    async def save_state(self) -> str:
        """Returns why it is not saved; it is tried again within a second."""
        if self._not_known:
            return self._not_known
        return await self._saver.save(lambda: self.state) if self._session else ""

    def _keep(self, state: SessionState) -> None:
        self._store.save(self._session, state)

    def _say_not_saved(self, says: str) -> None:
        print(says, file=sys.stderr)
        self.notify(says, severity="warning", timeout=15, markup=False)

    def signed_out(self, _error: NotSignedIn) -> None:
        """The server closes the page's connection, and the page goes to sign-in."""
        self._tell("signed_out")

    def _tell(self, what: str) -> None:
        if isinstance(self._driver, PanelDriver):
            self._driver.write_meta({"type": what})


def _arranged(state: SessionState) -> tuple[object, ...]:
    """What a person changes."""
    return state.dashboard, state.selected, state.preferences


def new_session_app() -> SessionApp:
    """It has opened nothing yet: what the template has made goes on in the process that is forked."""
    return SessionApp(Store(os.environ["PANEL_DATABASE_URL"]), configured_url())


async def warm_up() -> None:
    """Paint the first screen, which nobody sees, so that all is loaded and computed that a process needs for it."""
    async with new_session_app().run_test(size=(120, 40)) as pilot:
        await pilot.pause()
