"""Tells forges the status of the commits that are deployed, beside the deployments and never in their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import httpx
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_exponential_jitter
from tenacity.wait import wait_base

from border.plain import plain
from border.secrets import Secrets
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.config.report_schema import Report, api_of, repository_of
from orchestrator.config.secret_file import read_secret
from orchestrator.domain.deployment import Deployment, Kind, State, StepName, StepState
from orchestrator.domain.encryption import ON_THIS_MACHINE
from orchestrator.domain.events import EventKind, Occurrence, Step
from orchestrator.domain.interruption import is_by_end_of_orchestrator
from orchestrator.domain.report_events import ReportFailed
from orchestrator.domain.source_names import is_commit
from orchestrator.errors import ChangeoverError, JournalError, StepFailed, UnknownApp
from orchestrator.events.stream import EventStream
from orchestrator.host.bounded_answer import no_cookies
from orchestrator.host.fair_turns import FairTurns
from orchestrator.host.web_address import why_no_address
from orchestrator.journal.store import Journal
from orchestrator.reports.forges import CommitStatus, Outcome, Verdict, status_request, verdict, wait_s, why_refused
from orchestrator.sources.certificates import authorities
from orchestrator.sources.not_reached import why_not_reached
from orchestrator.supervision import Problem, Supervisor

log = structlog.get_logger()

MOST_WAITING = 200
ANSWERS_WITHIN_S = 10.0
MOST_OF_ANSWER = 64 * 1024
FIRST_PAUSE_S, LONGEST_PAUSE_S, GIVEN_UP_AFTER_S = 1.0, 300.0, 6 * 3600.0
TOLD_AGAIN = timedelta(hours=1)
"""At a start the newest deployment of each app is told again if it ended within this time: it may not have been."""
AT_ONCE, AT_ONCE_OF_FORGE = 8, 3
"""A forge that does not answer keeps no status for another one waiting."""

Key = tuple[str, str]
"""An app and a commit."""


class NotTaken(Exception):
    """The forge does not answer, or cannot take it now; it may say that it is to be left alone for `wait_s` seconds."""

    def __init__(self, says: str, wait_s: float = 0.0) -> None:
        super().__init__(says)
        self.wait_s = wait_s


class _AsItSays(wait_base):
    """The growing pauses, or what the forge says if that is longer."""

    def __init__(self, otherwise: wait_base) -> None:
        self._otherwise = otherwise

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        return max(self._otherwise(retry_state), error.wait_s if isinstance(error, NotTaken) else 0.0)


class CommitReports:
    """Implements Notifier. Of each app and commit the newest status waits; a task of the supervisor sends them.

    Used on the event loop alone. A forge that does not answer is asked again with growing pauses; when MOST_WAITING
    statuses wait, the oldest is dropped. What waits at a stop is told by the next start, as far as it is the newest of
    its app.
    """

    def __init__(
        self,
        journal: Journal,
        events: EventStream,
        context: Callable[[str], AppContext],
        known_secrets: Secrets,
        transport: httpx.AsyncBaseTransport | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
        problems: dict[str, Problem] | None = None,
    ) -> None:
        self._problems = problems
        self._journal = journal
        self._events = events
        self._context = context
        self._border = known_secrets
        self._transport = transport
        self._first_pause_s = first_pause_s
        self._waiting: dict[Key, CommitStatus] = {}
        self._news = asyncio.Event()
        self._sending: set[Key] = set()
        self._turns = FairTurns(AT_ONCE, AT_ONCE_OF_FORGE)

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Note what is to be told. What cannot be found out is logged: a deployment does not fail for it."""
        try:
            if deployment and app and _says_something(happened) and self._report_of(app):
                self._note(self._journal.deployment(deployment))
        except ChangeoverError as error:
            log.warning("status of a commit not reported", app=app, deployment=deployment, cause=error.cause)

    async def tell_again(self, apps: list[AppContext]) -> None:
        """At a start: what the newest deployments ended with, if that was a short time ago. Raises JournalError."""
        for context in (one for one in apps if one.config.report):
            last = await self._journal.beside(self._journal.deployments, context.name, 20)
            newest = next((one for one in last if one.kind is Kind.DEPLOY), None)
            moment = newest and (newest.ended_at or newest.live_at)
            if newest and moment and now() - moment < TOLD_AGAIN:
                self._note(newest)

    async def keep_sending(self) -> None:
        """Send what waits, without end."""
        self._sending.clear()
        each = Supervisor(self._problems, forgets=True)
        try:
            while True:
                self._news.clear()
                for key in [one for one in self._waiting if one not in self._sending]:
                    self._sending.add(key)
                    each.keep(f"status of commit {key[1][:12]} of {key[0]}", partial(self._send, key))
                await self._news.wait()
        finally:
            await each.stop()

    @property
    def waiting(self) -> int:
        """How many statuses are not sent yet."""
        return len(self._waiting)

    def _report_of(self, app: str) -> Report | None:
        try:
            return self._context(app).config.report
        except UnknownApp:
            return None

    def _note(self, deployment: Deployment) -> None:
        release, report = deployment.release, self._report_of(deployment.app)
        if report is None or release is None or deployment.kind is not Kind.DEPLOY:
            return
        if not is_commit(release.source_revision) or (said := _said(deployment)) is None:
            return
        key = (deployment.app, release.source_revision)
        self._waiting.pop(key, None)
        if len(self._waiting) >= MOST_WAITING:
            dropped = next(iter(self._waiting))
            del self._waiting[dropped]
            log.warning("status of a commit not reported: too many wait", app=dropped[0], commit=dropped[1])
        self._waiting[key] = CommitStatus(*key, *said, report.link or "")
        self._news.set()

    async def _send(self, key: Key) -> None:
        """Send the newest status of a commit, also if it becomes another one meanwhile."""
        self._sending.add(key)
        try:
            while status := self._waiting.get(key):
                await self._tried(key)
                if self._waiting.get(key) is status:
                    del self._waiting[key]  # refused, or given up
        except Exception as error:  # a defect in Changeover, which concerns this status alone; the supervisor logs it
            self._waiting.pop(key, None)
            await self._failed(key, f"unexpected {type(error).__name__}.", "Report this defect in Changeover.")
            raise
        finally:
            self._sending.discard(key)

    async def _tried(self, key: Key) -> None:
        """Until it is taken, refused, or given up. Each try sends what is the newest then."""
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(NotTaken),
                wait=_AsItSays(
                    wait_exponential_jitter(
                        multiplier=self._first_pause_s, max=LONGEST_PAUSE_S, jitter=self._first_pause_s
                    )
                ),
                stop=stop_after_delay(GIVEN_UP_AFTER_S),
                reraise=True,
            ):
                with attempt:
                    await self._once(key)
        except NotTaken as error:
            await self._failed(key, str(error), "Check report.api_url, and that this host reaches it.")
        except ChangeoverError as error:
            await self._failed(key, error.cause, error.remedy)

    async def _once(self, key: Key) -> None:
        """Raises NotTaken, and ChangeoverError for what a further try would not change."""
        status = self._waiting.get(key)
        context = self._context(key[0])
        report = context.config.report
        if status is None or report is None:
            return
        token = read_secret(context.config_file.parent, report.token_file)
        self._border.know({token})
        if not (token.isascii() and token.isprintable()):
            raise ReportRefused(
                f"The file {report.token_file} has something else than a token: no header of HTTP can have it.",
                "Write nothing but the token into it, as the forge shows it.",
            )
        update = context.config.update
        wanted = status_request(report.kind, api_of(report, update), repository_of(report, update), token, status)
        if why := why_no_address(wanted.url):
            raise ReportRefused(f"{wanted.url} is no address: {why}.", "Correct report.api_url.")
        async with self._turns.turn_of(urlsplit(wanted.url).netloc):
            code, text, headers = await self._post(wanted.url, dict(wanted.headers), dict(wanted.body))
        match verdict(report.kind, code, text, headers):
            case Verdict.TAKEN:
                if self._waiting.get(key) is status:
                    del self._waiting[key]
            case Verdict.AGAIN:
                raise NotTaken(f"{wanted.url} answered with status {code}.", wait_s(headers, now().timestamp()))
            case Verdict.REFUSED:
                says = f"{wanted.url} answered with status {code}: {self._border.cut(plain(text), 200)}".rstrip(": ")
                raise ReportRefused(f"{says}.", why_refused(code))

    async def _post(self, url: str, headers: dict[str, str], body: dict[str, str]) -> tuple[int, str, httpx.Headers]:
        """The status, the beginning of the answer and its headers. Redirects are not followed: they would get the
        token."""
        content = bytearray()
        try:
            async with (
                asyncio.timeout(ANSWERS_WITHIN_S),
                self._client(url) as client,
                client.stream("POST", url, headers={**headers, "accept-encoding": "identity"}, json=body) as answer,
            ):
                async for some in answer.aiter_raw():
                    content += some[: MOST_OF_ANSWER - len(content)]
                    if len(content) >= MOST_OF_ANSWER:
                        break
        except TimeoutError as error:
            raise NotTaken(f"{url} did not answer within {ANSWERS_WITHIN_S:g} s.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = plain(str(error)) or type(error).__name__
            why, _ = why_not_reached(f"{type(error).__name__}: {said}") or (said.rstrip("."), "")
            raise NotTaken(f"{url} does not answer: {why}.") from error
        return answer.status_code, content.decode(errors="replace"), answer.headers

    def _client(self, url: str) -> httpx.AsyncClient:
        """A proxy of the environment is for the way to other machines: it would get the token."""
        is_near = urlsplit(url).hostname in ON_THIS_MACHINE
        return httpx.AsyncClient(
            transport=self._transport,
            timeout=ANSWERS_WITHIN_S,
            cookies=no_cookies(),
            trust_env=not is_near,
            verify=authorities(),
        )

    async def _failed(self, key: Key, cause: str, remedy: str) -> None:
        says = f"The status of commit {key[1][:12]} was not reported: {cause}"
        log.warning("status of a commit not reported", app=key[0], commit=key[1], cause=cause)
        try:
            await self._events.publish(ReportFailed(says, remedy), key[0])
        except JournalError as error:
            log.warning("event not recorded", app=key[0], cause=error.cause)


class ReportRefused(StepFailed):
    """The forge does not take the status, and would not later."""


def _says_something(happened: Occurrence) -> bool:
    if isinstance(happened, Step):
        return happened.step == StepName.FETCH and happened.state == StepState.DONE
    return happened.kind in (EventKind.LIVE, EventKind.FAILED, EventKind.CANCELLED, EventKind.UNCHANGED)


def _said(deployment: Deployment) -> tuple[Outcome, str] | None:
    """What to tell of a deployment as it is now; None if nothing."""
    match deployment.state:
        case State.RUNNING:
            return Outcome.PENDING, f"{deployment.version} is being deployed."
        case State.LIVE:
            took = deployment.seconds_to_live
            return Outcome.SUCCESS, f"{deployment.version} is live{f' after {took:.1f} s' if took is not None else ''}."
        case State.UNCHANGED:
            return Outcome.SUCCESS, f"{deployment.version} is live already."
        case State.FAILED:
            why = deployment.failure
            if why and is_by_end_of_orchestrator(deployment):
                return Outcome.INTERRUPTED, f"{why.cause} {why.tip}"
            return Outcome.FAILURE, f"{why.step} failed: {why.cause}" if why else "The deployment failed."
        case State.CANCELLED:
            return Outcome.INTERRUPTED, "The deployment was cancelled."
        case _:
            return None
