"""The API as one application, which starts and stops the orchestrator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers
from starlette.types import Scope

from http_limits.bodies import LimitedBodies
from orchestrator.api import (
    alerts,
    apps,
    archived_configuration,
    archives,
    audit,
    backups,
    config,
    configuration,
    deployments,
    doctor,
    events,
    hook_socket,
    leftovers,
    logs,
    metrics,
    migrations,
    mute,
    notices,
    one_off,
    pause,
    plan,
    problems,
    sessions,
    status,
    terminals,
    tokens,
    traffic,
    update_checks,
    versions,
)
from orchestrator.api.access import Serving, bearer
from orchestrator.api.answer import answer_class
from orchestrator.api.audited import Audited
from orchestrator.api.hooks import Hooks
from orchestrator.doctor.report import Finding
from orchestrator.errors import JournalError
from orchestrator.host.fair_turns import FairTurns
from orchestrator.host.shared_question import SharedQuestion
from orchestrator.logs.news import LogNews
from orchestrator.pushes.refusals import PushCounts
from orchestrator.server import Orchestrator

BODY_BYTES = 2 * 2**20
"""The longest body: a configuration file to be checked, as JSON."""

health = APIRouter()


@health.get("/healthz", response_class=PlainTextResponse)
async def alive() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@health.get(
    "/readyz",
    response_class=PlainTextResponse,
    responses={503: {"description": "It is starting, waits for a configuration, or a background task keeps failing."}},
)
async def ready(orchestrator: Serving) -> PlainTextResponse:
    """Status 200 when the recovery at the orchestrator's start has ended and no background task keeps failing."""
    failing = ", ".join(f"'{name}'" for name in orchestrator.supervisor.failing())
    if failing:
        # Why is in `changeover status` and `changeover doctor`, which need a token.
        return PlainTextResponse(f"background tasks keep failing: {failing}\n", status_code=503)
    if orchestrator.ready:
        return PlainTextResponse("ready\n")
    if not orchestrator.config_file.is_known:
        # Without a token nothing of the file is shown: the log and `changeover status` have the reason.
        return PlainTextResponse("waiting for a valid configuration\n", status_code=503)
    return PlainTextResponse("starting\n", status_code=503)


def create(orchestrator: Orchestrator) -> FastAPI:
    api = routes()
    serve(api, orchestrator)
    return api


def serve(api: FastAPI, orchestrator: Orchestrator) -> None:
    """From now on `api` is that of this orchestrator; it keeps nothing of one before."""
    api.state.orchestrator = orchestrator
    api.state.pushes = PushCounts()
    api.state.examination = SharedQuestion[list[Finding]]()
    api.state.uploads = FairTurns(*archives.AT_ONCE)
    api.state.histories = FairTurns(*apps.AT_ONCE)
    api.state.logs, api.state.log_news = FairTurns(*logs.AT_ONCE), LogNews()
    orchestrator.events.add(api.state.log_news)
    api.state.validations = FairTurns(*config.AT_ONCE)


def routes() -> FastAPI:
    """The API of no orchestrator yet: `serve` says of which one it is, before the first request."""

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        orchestrator: Orchestrator = api.state.orchestrator
        await orchestrator.start()
        serve_hooks = partial(hook_socket.serve, Hooks(orchestrator, api.state.pushes), orchestrator.settings.proxy)
        orchestrator.supervisor.keep("hooks", serve_hooks)
        yield
        await orchestrator.stop()

    answer = answer_class(lambda: api.state.orchestrator.known_secrets)
    api = FastAPI(
        title="Changeover", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, default_response_class=answer
    )
    api.state.answer = answer
    problems.install(api, answer)
    api.add_middleware(Audited)
    api.add_middleware(LimitedBodies, most=BODY_BYTES, knows=_knows, is_streamed=archives.is_upload)
    api.include_router(health)
    api.include_router(metrics.router, responses=problems.RESPONSES)
    for part in (
        status,
        apps,
        logs,
        versions,
        plan,
        one_off,
        terminals,
        pause,
        backups,
        archived_configuration,
        configuration,
        archives,
        migrations,
        deployments,
        events,
        config,
        tokens,
        sessions,
        audit,
        doctor,
        leftovers,
        alerts,
        mute,
        notices,
        traffic,
        update_checks,
    ):
        api.include_router(part.router, prefix="/v1", responses=problems.RESPONSES)
    return api


async def _knows(scope: Scope) -> bool:
    """Whether the request has a valid token: before that, its body is not read."""
    orchestrator: Orchestrator = scope["app"].state.orchestrator
    try:
        return await orchestrator.gate.knows(bearer(Headers(scope=scope).get("authorization", "")))
    except JournalError:
        return False
