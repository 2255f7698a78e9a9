"""Errors as RFC 9457 problem details."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from orchestrator.api.access import status_of
from orchestrator.api.audited import REASON
from orchestrator.errors import (
    ChangeoverError,
    ConfigError,
    EngineError,
    JournalError,
    NotAllowed,
    ProxyError,
    Refused,
    StepFailed,
    TooManyTries,
    UnknownApp,
    UnknownBackup,
    UnknownDeployment,
)

STATUS: dict[type[ChangeoverError], int] = {
    UnknownApp: 404,
    UnknownDeployment: 404,
    UnknownBackup: 404,
    Refused: 409,
    ConfigError: 422,
    EngineError: 503,
    JournalError: 503,
    ProxyError: 503,
}


def install(api: FastAPI, answer_class: type[JSONResponse]) -> None:
    """Errors are answered with answers of this class."""

    @api.exception_handler(ChangeoverError)
    async def answer(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ChangeoverError)
        refused = isinstance(error, (NotAllowed, TooManyTries))
        status = status_of(error) if refused else STATUS.get(type(error), 500)
        setattr(request.state, REASON, error.cause)
        content = {
            "type": f"urn:changeover:{type(error).__name__}",
            "title": type(error).__name__,
            "status": status,
            "detail": error.cause,
            "remedy": error.remedy,
            "log": list(error.log) if isinstance(error, StepFailed) else [],
        }
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        if isinstance(error, TooManyTries):
            headers["Retry-After"] = str(error.wait_s)
        return answer_class(content, status, headers, media_type="application/problem+json")

    @api.exception_handler(RequestValidationError)
    async def answer_invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        # Without what was sent: it may be a whole configuration.
        said = [{name: one[name] for name in ("type", "loc", "msg")} for one in error.errors()]
        return answer_class({"detail": jsonable_encoder(said)}, 422)
