"""The orchestrator's HTTP API, with one method per request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from panel.client import http_request
from panel.client.access import AccessRequests
from panel.client.alert_requests import AlertRequests
from panel.client.answers import broke_off, error_of, is_record_of_failure, read, strange, unreachable
from panel.client.backup_requests import BackupRequests
from panel.client.configuration_requests import ConfigurationRequests
from panel.client.deployment_requests import DeploymentRequests
from panel.client.errors import ClientError, Refused, Unanswered, Unreachable
from panel.client.events import DECIDED, Event, EventKind
from panel.client.failure import Accepted
from panel.client.log_requests import LogRequests
from panel.client.migration_model import Migrations
from panel.client.model import (
    App,
    Apps,
    Finding,
    Findings,
    Leftover,
    Validation,
)
from panel.client.notice_requests import NoticeRequests
from panel.client.one_off import OneOffRequests, Piece
from panel.client.push_requests import PushRequests
from panel.client.settings import is_https, is_near
from panel.client.traffic_requests import TrafficRequests
from panel.client.value import Value
from panel.client.version_requests import VersionRequests

TIMEOUT = httpx.Timeout(30, connect=5)
BROWSER = "Changeover-Client"
REPEAT_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 3.0, 4.0)
"""Before what may be sent twice is sent again after its answer was lost."""
REPEATED_FOR_S = 45.0
RETRY_PAUSES_S = (0.0, 0.05, 0.1, 0.2, 0.4, 1.0)
V = TypeVar("V", bound=Value)


class ServerTrouble(Exception):
    """The request for the stream was answered with a 5xx status: the server is starting, or a proxy cannot reach it."""

    def __init__(self, error: ClientError) -> None:
        super().__init__(str(error))
        self.error = error


class Client(
    AccessRequests,
    AlertRequests,
    BackupRequests,
    ConfigurationRequests,
    DeploymentRequests,
    LogRequests,
    NoticeRequests,
    OneOffRequests,
    PushRequests,
    TrafficRequests,
    VersionRequests,
):
    """An open connection to one orchestrator. Every method raises a ClientError, NotSignedIn also when it is made.

    No answer has control characters: text that an older orchestrator kept loses them here.
    A request is cancelled with the task that awaits it. `retry_pauses_s` are the pauses before the event stream is
    opened again: the last one is used from then on, and before the first event no more tries are made than there are.
    `browser`: the address of the browser for which the panel's web server asks.
    """

    def __init__(
        self, url: str, token: str, retry_pauses_s: tuple[float, ...] = RETRY_PAUSES_S, *, browser: str = ""
    ) -> None:
        self.url = url
        self._retry_pauses_s = retry_pauses_s
        self.answer: Any = None  # Any: JSON
        """The last answer or event as the orchestrator sent it; `--json` prints it."""
        self.waits_for_a_change = False
        """A request that changes something is sent, at least in part, and not answered: the orchestrator may go on with
        it in any case."""
        named = {BROWSER: browser} if browser and http_request.fits_in_a_header(browser) else {}
        self._http = httpx.AsyncClient(
            base_url=url,
            headers=({"Authorization": http_request.bearer(token)} if token else {}) | named,
            timeout=TIMEOUT,
            verify=is_https(url),
            trust_env=not is_near(url),
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End its connections. No request can be made then."""
        await self._http.aclose()

    def sign_in(self, token: str) -> None:
        """Use this token from now on."""
        self._http.headers["Authorization"] = http_request.bearer(token)

    # Apps

    async def apps(self) -> tuple[App, ...]:
        return (await self.status()).apps

    async def status(self) -> Apps:
        """All apps, and what is wrong with the installation."""
        return await self._read(Apps, "GET", "/v1/apps")

    async def app(self, name: str) -> App:
        return await self._read(App, "GET", f"/v1/apps/{name}")

    async def pause(self, app: str, limit_s: float) -> None:
        """Pause new requests of the app. Each waits at most `limit_s` seconds."""
        await self._ask("POST", f"/v1/apps/{app}/pause", json={"limit": limit_s})

    async def resume(self, app: str) -> None:
        """Resume the app's paused requests."""
        await self._ask("POST", f"/v1/apps/{app}/resume")

    async def leftover(self, app: str) -> Leftover:
        """What an app has left that is not configured any more."""
        return await self._read(Leftover, "GET", f"/v1/leftovers/{app}", timeout=None)

    async def remove_leftover(self, app: str, *, keep_backups: bool = False) -> Leftover:
        """Remove it for ever. Returns what was removed."""
        wanted = {"keep_backups": keep_backups}
        return await self._read(Leftover, "DELETE", f"/v1/leftovers/{app}", params=wanted, timeout=None)

    # Data

    async def migrations(self, app: str) -> Migrations:
        return await self._read(Migrations, "GET", f"/v1/apps/{app}/migrations", timeout=None)

    async def accept_data(self, app: str) -> Accepted:
        """Accept the data as a failed migration left it."""
        return await self._read(Accepted, "POST", f"/v1/apps/{app}/migrations/accept")

    # The orchestrator

    async def validate(self, text: str, name: str) -> Validation:
        """Let the orchestrator check the text of a configuration file; `name` is the file's name in its messages."""
        return await self._read(Validation, "POST", "/v1/config/validate", json={"text": text, "name": name})

    async def doctor(self) -> tuple[Finding, ...]:
        return (await self._read(Findings, "GET", "/v1/doctor")).findings

    # Events

    async def events(
        self, after: int | None = None, deployment: str = "", recent: int = 0
    ) -> AsyncGenerator[Event, None]:
        """The event stream, without end: events with ids above `after`, or from `recent` events ago.

        A connection that ends is opened again after the last event, so that no event is missed. Raises a ClientError at
        any time: Refused, too, when the token may have no further stream (429). Where nothing answers, or a server or
        proxy has trouble (5xx), that is raised before the first event only; after it, the stream is opened again.
        """
        async with aclosing(self._followed(after, deployment, recent, samples=False)) as events:
            async for event in events:
                yield event

    async def events_and_samples(self, after: int | None = None, recent: int = 0) -> AsyncGenerator[Event, None]:
        """As `events`, with a sample each second in which an app's numbers have changed.

        The first sample of each connection has all apps that are not idle: those that it does not have are.
        """
        async with aclosing(self._followed(after, "", recent, samples=True)) as events:
            async for event in events:
                yield event

    async def _followed(
        self, after: int | None, deployment: str, recent: int, *, samples: bool
    ) -> AsyncGenerator[Event, None]:
        pauses_s = self._retry_pauses_s
        tried, ever = 0, False
        while True:
            try:
                async with aclosing(self._stream(after, deployment, recent, samples)) as stream:
                    async for event in stream:
                        tried, ever = 0, True
                        after = after if event.kind == EventKind.SAMPLE else event.id
                        yield event
            except (httpx.HTTPError, ServerTrouble) as error:
                if not ever and tried >= len(pauses_s):
                    known = error.error if isinstance(error, ServerTrouble) else unreachable(self.url, error)
                    raise known from error
            await asyncio.sleep(pauses_s[min(tried, len(pauses_s) - 1)])
            tried += 1

    async def wait_until_decided(self, deployment: str) -> AsyncGenerator[Event, None]:
        """The events of a deployment from its beginning until it is live or has ended otherwise."""
        async with aclosing(self.events(0, deployment)) as events:
            async for event in events:
                yield event
                if event.kind in DECIDED:
                    return

    async def _stream(
        self, after: int | None, deployment: str, recent: int, samples: bool
    ) -> AsyncGenerator[Event, None]:
        start = {"recent": str(recent)} if after is None else {"after": str(after)}
        parameters = {"deployment": deployment} | start | ({"samples": "true"} if samples else {})
        async with http_request.opened(self._http, "GET", "/v1/events", params=parameters) as answer:
            if not answer.is_success:
                await answer.aread()
                error = error_of(answer)
                raise ServerTrouble(error) if answer.is_server_error else error
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    self.answer = self._json(line.removeprefix("data: "))
                    yield self._value(Event, self.answer)

    async def _pieces(
        self,
        method: str,
        path: str,
        **request: Any,  # Any: as httpx takes them
    ) -> AsyncGenerator[Piece, None]:
        has_begun = False
        try:
            async with http_request.opened(self._http, method, path, **request) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise error_of(answer)
                has_begun = True
                async for line in answer.aiter_lines():
                    self.answer = self._json(line)
                    yield self._value(Piece, self.answer)
        except httpx.HTTPError as error:
            raise (broke_off if has_begun else unreachable)(self.url, error) from error

    # Requests

    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        return self._value(kind, await self._ask(method, path, **request))

    async def _until_answered(self, ask: Callable[[], Awaitable[V]]) -> V:
        deadline, lost = time.monotonic() + REPEATED_FOR_S, False
        for pause_s in (*REPEAT_PAUSES_S, None):
            try:
                return await ask()
            except (Unreachable, Refused) as error:
                # Until it answers as before, an orchestrator that starts again is away, then refuses.
                lost = lost or isinstance(error, Unanswered)
                if not lost or pause_s is None or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    async def _ask(self, method: str, path: str, **request: Any) -> Any:  # Any: JSON, made into values by the callers
        changes = not http_request.only_asks(method, path)

        sent = False

        def begins() -> None:
            nonlocal sent
            sent = True
            # One that only asks may be sent and answered while a change is waited for.
            self.waits_for_a_change = self.waits_for_a_change or changes

        built = http_request.built(self._http, method, path, **request)
        try:
            answer = await self._http.send(http_request.told(built, begins))
        except httpx.HTTPError as error:
            raise unreachable(self.url, error, Unanswered if sent else Unreachable) from error
        self.waits_for_a_change = self.waits_for_a_change and not changes
        if not answer.is_success and not is_record_of_failure(answer):
            raise error_of(answer)
        self.answer = self._json(answer.content)
        return self.answer

    def _json(self, text: str | bytes) -> Any:  # Any: JSON
        try:
            return read(text)
        except ValueError as error:
            raise strange(self.url, "is not JSON") from error

    def _value(self, kind: type[V], answer: Any) -> V:  # Any: JSON
        try:
            return kind.model_validate(answer)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise strange(self.url, f"is not a valid {kind.__name__} ({where}: {first['msg']})") from error
