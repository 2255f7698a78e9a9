"""Errors as RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from orchestrator.api.access import status_of
from orchestrator.api.audited import note
from orchestrator.api.not_received import NotReceived
from orchestrator.api.refused_values import REMEDY, sentence
from orchestrator.config.build_secret import BuildSecretUnreadable
from orchestrator.config.env_file import EnvFileUnreadable
from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.errors import (
    ChangeoverError,
    ConfigError,
    EngineError,
    InvalidSearch,
    JournalError,
    NotAllowed,
    ProxyError,
    Refused,
    StepFailed,
    TooManyStreams,
    TooManyTries,
    UnknownApp,
    UnknownBackup,
    UnknownCheck,
    UnknownContainer,
    UnknownDeployment,
    UnknownTerminal,
    UnknownVersion,
    VolumeGone,
)

MOST_SAID = 5
MOST_OF_ANSWER = 2000

STATUS: dict[type[ChangeoverError], int] = {
    UnknownApp: 404,
    UnknownDeployment: 404,
    UnknownBackup: 404,
    UnknownCheck: 404,
    UnknownContainer: 404,
    InvalidSearch: 422,
    UnknownTerminal: 404,
    UnknownVersion: 404,
    Refused: 409,
    StepFailed: 502,
    TooManyStreams: 429,
    ConfigError: 422,
    VolumeGone: 409,
    NotReceived: 400,  # each has its own
    EnvFileUnreadable: 409,
    BuildSecretUnreadable: 409,
    SecretUnreadable: 409,
    EngineError: 503,
    JournalError: 503,
    ProxyError: 503,
}


class ProblemView(BaseModel):
    """An error (RFC 9457). `remedy` says what to do next; `log` has the last lines of a container's log."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str = ""
    log: list[str] = []


_MEANINGS = {
    400: "The request is not valid HTTP or JSON.",
    401: "The token is missing, unknown, expired or revoked.",
    403: "The token lacks the scope, or is for other apps.",
    404: "There is no such app, deployment, backup, check, version, container or terminal.",
    408: "The body of the request did not arrive in time.",
    409: "The request cannot be met now.",
    413: "The body of the request is too long.",
    422: "A value of the request is not accepted.",
    429: "Too many wrong tokens, or too many open streams.",
    500: "A defect in Changeover.",
    502: "What was requested failed.",
    503: "The engine, the proxy or the journal does not answer.",
}
RESPONSES: dict[int | str, dict[str, Any]] = {  # Any: as FastAPI takes them
    status: {
        "description": meaning,
        "content": {"application/problem+json": {"schema": ProblemView.model_json_schema()}},
    }
    for status, meaning in _MEANINGS.items()
}
"""For the API's document: the problems that any route may answer with."""


def status_by_kind(kind: type[ChangeoverError]) -> int:
    """The status of the kind itself, or else of the nearest kind that it is one of."""
    return next((STATUS[one] for one in kind.__mro__ if one in STATUS), 500)


def install(api: FastAPI, answer_class: type[JSONResponse]) -> None:
    """Errors are answered with answers of this class."""

    def problem(
        request: Request,
        status: int,
        title: str,
        detail: str,
        remedy: str,
        log: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> JSONResponse:
        note(request, detail)
        view = ProblemView(
            type=f"urn:changeover:{title}", title=title, status=status, detail=detail, remedy=remedy, log=list(log)
        )
        content = view.model_dump(mode="json")
        return answer_class(content, status, dict(headers or {}), media_type="application/problem+json")

    @api.exception_handler(ChangeoverError)
    async def known(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ChangeoverError)
        refused = isinstance(error, (NotAllowed, TooManyTries))
        status = status_of(error) if refused else status_by_kind(type(error))
        status = error.status if isinstance(error, NotReceived) else status
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        if isinstance(error, (TooManyTries, TooManyStreams)):
            headers["Retry-After"] = str(error.wait_s)
        log = error.log if isinstance(error, StepFailed) else ()
        return problem(request, status, type(error).__name__, error.cause, error.remedy, log, headers)

    @api.exception_handler(RequestValidationError)
    async def not_valid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        says = " ".join(sentence(one) for one in error.errors()[:MOST_SAID])
        return problem(request, 422, "InvalidRequest", says[:MOST_OF_ANSWER], REMEDY)

    @api.exception_handler(HTTPException)
    async def of_the_framework(request: Request, error: Exception) -> JSONResponse:
        """No such route (404), another method (405), or a body that is not JSON (400)."""
        assert isinstance(error, HTTPException)
        says = f"{request.method} is not answered here: {error.detail}."
        if error.status_code == 400:
            says = "The body of the request is not JSON."
        remedy = "See the API's document: /openapi.json"
        return problem(request, error.status_code, "NotAnswered", says, remedy, headers=dict(error.headers or {}))
