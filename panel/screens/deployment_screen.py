"""The base of the progress screen: it follows one deployment to its end, or reads what became of an earlier one."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress

from textual import work
from textual.screen import Screen

from panel.client import events
from panel.client.client import Client
from panel.client.errors import ClientError, Invalid, NotFound, NotSignedIn
from panel.client.events import LAST, Event
from panel.client.model import App, DeploymentState
from panel.text.drain import draining_in_words
from panel.text.expected import Expected, expected_of
from panel.text.markup import inline
from panel.widgets.steps import Progress

LOOKED_AT = 20
"""So many of the app's newest deployments are looked at for what this one will take."""


async def last_deployment(client: Client, app: str) -> str:
    """The id of the app's newest deployment, rollback or restore; empty without any. Raises ClientError."""
    found = (await client.history(app, limit=1)).deployments
    return found[0].id if found else ""


async def failed_with_newest(client: Client, app: App) -> str:
    """The id of the app's newest deployment, if that failed with the release which is not offered therefore; else
    empty. Raises ClientError."""
    if app.held_back is None:
        return ""
    newest, *_ = (*(await client.history(app.name, limit=1)).deployments, None)
    failed = newest is not None and newest.state == DeploymentState.FAILED
    return newest.id if newest and failed and newest.revision == app.held_back.revision else ""


class DeploymentScreen(Screen[None]):
    """`app_name` and `deployment` are the app and deployment that are followed."""

    AGAIN_S = 1.0
    """The pause before the orchestrator is asked again, in seconds."""

    def __init__(self, client: Client, app_name: str, deployment: str) -> None:
        super().__init__()
        self._client = client
        self.app_name = app_name
        self.deployment = deployment
        self._progress = Progress()
        self._expected: Expected | None = None
        """What earlier deployments took; None before that is known, and without any."""
        self._waits = ""
        self._after = 0
        """The id of the last event that was taken."""
        self._is_over = False
        self._owes_outcome = False
        self._stopped = False

    @abstractmethod
    def _redraw(self) -> None:
        """Show what is known now."""

    @abstractmethod
    async def _show_outcome(self) -> None:
        """Show how it ended. Raises ClientError."""

    @work
    async def _learn_what_it_takes(self) -> None:
        with suppress(ClientError):  # then there is no bar
            found = await self._client.history(self.app_name, LOOKED_AT)
            self._expected = expected_of(one for one in found.deployments if one.id != self.deployment)
            self._redraw()

    @work
    async def _follow(self) -> None:
        """To the end. While the orchestrator does not answer, as during its upgrade, it is asked again."""
        told = ""
        await self._read_if_ended()
        while not self._is_over:
            try:
                await self._follow_events()
                return
            except ClientError as error:
                if str(error) != told:
                    self.notify(str(error), severity="error", markup=False)
                    told = str(error)
                if isinstance(error, NotSignedIn | NotFound | Invalid):
                    self._stop(error)
                    return
            await self._ask_instead()
            if self._is_over:
                return
            await asyncio.sleep(self.AGAIN_S)

    async def _read_if_ended(self) -> None:
        """All of a deployment that has ended already. Its events may be gone: then its steps and its end are left."""
        with suppress(ClientError):  # told when it is followed
            record = await self._client.deployment(self.deployment)
            if record.ended_at is None:
                return
            with suppress(ClientError):
                await self._read_events()
            self._progress.take_record(record)
            await self._show_outcome()
            self._owes_outcome, self._is_over = False, True
            self._redraw()

    async def _read_events(self) -> None:
        after: int | None = 0
        while after is not None:
            page = await self._client.events_so_far(self.deployment, after)
            for event in page.events:
                self._take(event)
            after = page.after

    async def _ask_instead(self) -> None:
        """The state of the deployment, without its events: the token may have no further stream of them."""
        with suppress(ClientError):  # told by the next try
            now = await self._client.deployment(self.deployment)
            already = self._progress.decided
            self._progress.take_record(now)
            self._owes_outcome = self._owes_outcome or (now.decided and not already)
            self._redraw()
            await self._show_owed_outcome()
            self._is_over = now.decided and (now.state != DeploymentState.LIVE or now.ended_at is not None)

    async def _follow_events(self) -> None:
        """From where it was before, to the last event and the outcome. Raises ClientError."""
        await self._show_owed_outcome()
        if self._is_over:
            return
        async for event in self._client.events(self._after, self.deployment):
            self._take(event)
            self._redraw()
            await self._show_owed_outcome()
            if self._is_over:
                return

    def _take(self, event: Event) -> None:
        already = self._progress.decided
        self._progress.take(event)
        self._after, self._is_over = event.id, event.kind in LAST
        match event.what:
            case events.Drained() if self._progress.decided:
                self._waits, self._owes_outcome = "", True
            case events.Draining() as draining:
                self._waits = f"Waits {draining_in_words(draining)}"
            case events.Waiting(cause=cause):
                self._waits = f"Waits: {inline(cause)}"
        if self._progress.decided and not already:
            self._owes_outcome = True

    async def _show_owed_outcome(self) -> None:
        if self._owes_outcome:
            await self._show_outcome()
            self._owes_outcome = False

    def _stop(self, error: ClientError) -> None:
        """Nothing more is known of the deployment: no time goes on as if it were."""
        self._waits = f"[red]✗ The deployment is not followed any more: {inline(error)}[/]"
        self._redraw()
        self._stopped = True
