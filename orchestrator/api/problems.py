"""Errors as RFC 9457 problem details."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from orchestrator.errors import (
    ChangeoverError,
    ConfigError,
    EngineError,
    JournalError,
    NotAllowed,
    ProxyError,
    Refused,
    StepFailed,
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


def install(api: FastAPI) -> None:
    @api.exception_handler(ChangeoverError)
    async def answer(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ChangeoverError)
        if isinstance(error, NotAllowed):
            status = 403 if error.known else 401
        else:
            status = STATUS.get(type(error), 500)
        content = {
            "type": f"urn:changeover:{type(error).__name__}",
            "title": type(error).__name__,
            "status": status,
            "detail": error.cause,
            "remedy": error.remedy,
            "log": list(error.log) if isinstance(error, StepFailed) else [],
        }
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        return JSONResponse(content, status, headers, media_type="application/problem+json")
