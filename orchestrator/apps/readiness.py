"""Whether a container is ready for traffic, found by probes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx

from orchestrator.apps.answer_text import said
from orchestrator.apps.context import AppContext
from orchestrator.apps.listening_check import ListeningCheck
from orchestrator.apps.probe import PROBE_TIMEOUT_S
from orchestrator.apps.readiness_answer import ReadinessAnswer, ask_ready
from orchestrator.apps.start_hint import exit_hint
from orchestrator.clock import elapsed
from orchestrator.domain.deployment import Deployment
from orchestrator.engine.base import ContainerStatus
from orchestrator.errors import ProxyError, StepFailed
from orchestrator.proxy.routes import Server

FIRST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.4
LONGER_EACH_TIME = 1.05
"""A pause is a twentieth of the time that has passed: by so much, at most, a release is live later than it could be."""
LOOK_EACH_S = 0.25
"""How often Docker is asked for the container's state while it does not answer, which costs more than a probe."""
AWAKE_PAUSE_S, LONGEST_AWAKE_PAUSE_S = 0.005, 0.1
"""One that was paused answers within milliseconds; one that was stopped may take as long as any start."""
LOG_LINES = 100
OF_CHECK = "The last lines of its log are of the check."
STILL_STARTING = "it answers, but Docker's HEALTHCHECK has not succeeded yet"
PROGRESS_HEADER = "x-progress"
"""A header in which an app that is starting reports its progress. Each new value extends the deadline."""
LONGEST_S = 24 * 3600.0
"""By then a container must be ready, whatever progress it reports, in seconds."""
MOST_TOLD = 1000
"""So many lines are told of one container that is not ready yet."""


def next_pause(pause: float) -> float:
    """The pause after this one, in seconds, before an app that is not ready yet is asked again."""
    return min(pause * LONGER_EACH_TIME, LONGEST_PAUSE_S)


async def answers_now(context: AppContext, deployment: Deployment) -> bool:
    """Send one probe: whether the container answers with success now."""
    try:
        return (await ask_directly(context, deployment)).ready
    except httpx.HTTPError:
        return False


async def refuses(context: AppContext, deployment: Deployment) -> bool:
    """Whether the container refuses connections: it does not listen. A slow one accepts them, or is silent."""
    try:
        await ask_directly(context, deployment)
    except httpx.ConnectError:
        return True
    except httpx.HTTPError:
        return False
    return False


async def ask_directly(context: AppContext, deployment: Deployment) -> ReadinessAnswer:
    """Ask the container itself whether it is ready. Raises httpx.HTTPError."""

    async def ask(path: str) -> httpx.Response:
        return await context.prober.ask(deployment.address, deployment.port, path, host=context.probe_host)

    return await ask_ready(context.config.health.path, ask)


async def ask_preview(context: AppContext) -> ReadinessAnswer:
    """Ask the candidate through the preview route. Raises ProxyError."""

    async def ask(path: str) -> httpx.Response:
        return await context.proxy.ask_preview(context.name, path, PROBE_TIMEOUT_S)

    return await ask_ready(context.config.health.path, ask)


async def answers_well(context: AppContext, deployment: Deployment) -> bool:
    """Whether the container answers `health.answers` probes in a row with success now."""
    for number in range(context.config.health.answers):
        if number:
            await asyncio.sleep(FIRST_PAUSE_S)
        if not await answers_now(context, deployment):
            return False
    return True


async def until_awake(context: AppContext, deployment: Deployment, within_s: float) -> None:
    """Wait until a container that was woken answers one probe with success.

    Raises StepFailed, with the container's log, when it stops or does not answer within `within_s` seconds.
    """
    deadline, pause = elapsed() + within_s, AWAKE_PAUSE_S
    while not await answers_now(context, deployment):
        await _running(context, deployment)
        if elapsed() > deadline:
            raise StepFailed(
                f"The standby {deployment.container} was woken and did not become ready within {within_s:g} s.",
                f"All of its log: docker logs {deployment.container}",
                log=await context.engine.logs(deployment.container, LOG_LINES),
            )
        await asyncio.sleep(pause)
        pause = min(pause * 1.05, LONGEST_AWAKE_PAUSE_S)


async def until_ready(context: AppContext, deployment: Deployment) -> None:
    """Wait for `health.answers` successful probes in a row: the first directly, the others through the preview route.

    Raises StepFailed, with the container's log, when the container stops, Docker reports it as unhealthy, or it is not
    ready within `health.timeout` seconds. A new value of the header X-Progress extends the deadline by that time, up to
    LONGEST_S.
    """
    health = context.config.health
    await context.proxy.preview(context.name, Server(deployment.address, deployment.port))
    started = elapsed()
    so_far = _SoFar(started, health.timeout, ListeningCheck(), health.first_path)
    status, looked = await _running(context, deployment), elapsed()
    while True:
        if so_far.good >= health.answers - 1 or elapsed() - looked >= LOOK_EACH_S:
            status, looked = await _running(context, deployment), elapsed()
        await _probe(context, deployment, so_far)
        if so_far.good >= health.answers and status.health == "starting":
            so_far.good, so_far.last = health.answers - 1, STILL_STARTING
            so_far.pause = so_far.pause_of_check = next_pause(so_far.pause_of_check)
        if so_far.good >= health.answers:
            break
        late = elapsed() > so_far.deadline
        if so_far.refused and (unreachable := await so_far.listening.look(context, deployment, last=late)):
            raise StepFailed(
                unreachable.says,
                unreachable.remedy,
                log=await context.engine.logs(deployment.container, LOG_LINES),
            )
        if late:
            raise StepFailed(
                f"{context.name} was not ready within {so_far.limit_in_words}: {so_far.why_late}.",
                so_far.remedy(context.name, deployment.port),
                log=(*await context.engine.logs(deployment.container, LOG_LINES), *so_far.lines_of_check(status)),
            )
        await asyncio.sleep(so_far.pause)
        if so_far.good == 0:
            so_far.pause = next_pause(so_far.pause)
    context.say(
        deployment.id,
        f"ready after {elapsed() - started:.2f} s: {so_far.good} good answers in a row from {so_far.path}",
    )


@dataclass
class _SoFar:
    """The result of the probes so far: successes in a row, the last failure, the progress and the deadline."""

    started: float
    timeout_s: float
    listening: ListeningCheck
    path: str
    good: int = 0
    refused: bool = False
    pause: float = FIRST_PAUSE_S
    pause_of_check: float = FIRST_PAUSE_S
    """While it answers, and Docker's HEALTHCHECK is waited for."""
    last: str = "no answer yet"
    slow: bool = False
    """The last answer was not complete in time, as none of one that answers slowly is, however long it has."""
    no_http: bool = False
    """The last connection was accepted, and what came was no answer of HTTP."""
    why_not: str = ""
    """Of the last answer, if it was none that means ready."""
    told: str = ""
    times_told: int = 0
    progress: str = ""
    since: float = 0.0
    """The moment of the last progress."""

    def __post_init__(self) -> None:
        self.since = self.started

    @property
    def deadline(self) -> float:
        return min(self.since + self.timeout_s, self.started + LONGEST_S)

    @property
    def limit_in_words(self) -> str:
        never = self.since + self.timeout_s > self.started + LONGEST_S
        return f"{LONGEST_S:g} s, whatever progress it reports" if never else f"{self.timeout_s:g} s (health.timeout)"

    def remedy(self, app: str, port: int) -> str:
        """What to do when the time is over. An app that has answered all the time does not need more of it."""
        longer = f"Raise health.timeout of {app} if it needs longer."
        if self.refused and self.listening.listens_nowhere:
            return f"Let the app listen on 0.0.0.0:{port}; a Unix socket cannot be reached. {longer}"
        if self.no_http:
            return (
                f"Let the app answer plain HTTP at port {port}; HTTPS and other protocols do not work there. {longer}"
            )
        if self.last == STILL_STARTING:
            return (
                f"{OF_CHECK} Correct the HEALTHCHECK of its Dockerfile, or its base image's; HEALTHCHECK NONE removes "
                f"that one. {longer}"
            )
        if self.slow:
            return (
                f"Let the app answer at {self.path} within {PROBE_TIMEOUT_S:g} s, or set health.path of {app} to a "
                f"path that it answers sooner. If it only starts slowly, raise health.timeout of {app}."
            )
        if not self.why_not:
            return longer
        return f"Correct what it answers at {self.path}, or set health.path of {app} to another path. {longer}"

    def lines_of_check(self, status: ContainerStatus) -> list[str]:
        """What Docker's HEALTHCHECK has printed, if that is what was waited for."""
        return _lines_of_check(status) if self.last == STILL_STARTING else []

    @property
    def why_late(self) -> str:
        if self.refused and self.listening.listens_nowhere:
            return "nothing listens on a TCP port in its container"
        return self.last

    def tell_why_not(self, context: AppContext, deployment: Deployment, why_not: str) -> None:
        """While there is still time; once for each reason."""
        if self.told != why_not:
            self.told = why_not
            self.tell(context, deployment, f"not ready yet: {why_not}")

    def tell(self, context: AppContext, deployment: Deployment, line: str) -> None:
        """The app decides how often it says something new."""
        self.times_told += 1
        if self.times_told <= MOST_TOLD:
            context.say(deployment.id, line)


async def _probe(context: AppContext, deployment: Deployment, so_far: _SoFar) -> None:
    try:
        asked = await (ask_directly(context, deployment) if so_far.good == 0 else ask_preview(context))
    except (httpx.HTTPError, ProxyError) as error:
        so_far.good, so_far.last = 0, f"no answer ({said(str(error), context.known_secrets) or type(error).__name__})"
        so_far.refused, so_far.why_not = isinstance(error, httpx.ConnectError), ""
        so_far.no_http = isinstance(error, httpx.RemoteProtocolError)
        so_far.slow = isinstance(error, httpx.ReadTimeout)
        if not so_far.refused:
            so_far.tell_why_not(context, deployment, so_far.last)
        return
    answer = asked.answer
    so_far.path, so_far.refused, so_far.no_http, so_far.slow = asked.path, False, False, False
    if asked.ready:
        so_far.good, so_far.pause, so_far.why_not = so_far.good + 1, FIRST_PAUSE_S, ""
    else:
        why_not, text = said(asked.why_not, context.known_secrets), said(answer.text, context.known_secrets)
        so_far.good, so_far.last, so_far.why_not = 0, f"{why_not}: {text}".rstrip(": "), why_not
        so_far.tell_why_not(context, deployment, why_not)
    reported = said(answer.headers.get(PROGRESS_HEADER, ""), context.known_secrets)
    if reported and reported != so_far.progress:
        so_far.progress, so_far.since = reported, elapsed()
        so_far.tell(context, deployment, f"getting ready: {reported}")


async def _running(context: AppContext, deployment: Deployment) -> ContainerStatus:
    """The container's status. Raises StepFailed with its log when it has stopped or Docker reports it as unhealthy."""
    status = await context.engine.status(deployment.container)
    if status is None:
        raise StepFailed(
            f"The container {deployment.container} does not exist any more.",
            f"Deploy again: changeover deploy {context.name}",
        )
    if not status.running:
        log = await context.engine.logs(deployment.container, LOG_LINES)
        hint = exit_hint(status.exit_code, log, context.config.run, context.name)
        raise StepFailed(
            f"{_called(context, deployment)} {status.why_stopped} before it was ready.",
            f"Raise run.memory of {context.name}." if status.oom else hint,
            log=log,
            exit_code=status.exit_code,
            oom=status.oom,
        )
    if status.health == "unhealthy":
        log = await context.engine.logs(deployment.container, LOG_LINES)
        called = _called(context, deployment).lower()
        raise StepFailed(
            f"Docker's HEALTHCHECK reports {called} as unhealthy.",
            f"{OF_CHECK} Correct the app, or the HEALTHCHECK of its Dockerfile.",
            log=(*log, *_lines_of_check(status)),
        )
    return status


def _lines_of_check(status: ContainerStatus) -> list[str]:
    return [line for entry in status.health_log for line in entry.splitlines()]


def _called(context: AppContext, deployment: Deployment) -> str:
    slots = context.journal.slots(context.name)
    which = {slots.active: "active", slots.standby: "standby"}.get(deployment.id, "new")
    return f"The {which} container"
