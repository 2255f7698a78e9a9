"""Dependencies of the routes: the orchestrator, and the name of a token that has the required scope."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from orchestrator.access import tokens
from orchestrator.access.tokens import Scope
from orchestrator.errors import Refused
from orchestrator.server import Orchestrator


def _orchestrator(request: Request) -> Orchestrator:
    found = request.app.state.orchestrator
    assert isinstance(found, Orchestrator)
    return found


Serving = Annotated[Orchestrator, Depends(_orchestrator)]


class _Holder:
    """A dependency that requires a token with a scope, and records requests other than GET in the audit log."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __call__(self, request: Request, orchestrator: Serving, authorization: Annotated[str, Header()] = "") -> str:
        scheme, _, secret = authorization.partition(" ")
        bearer = secret.strip() if scheme.lower() == "bearer" else None
        name = tokens.check(orchestrator.journal, bearer, self._scope)
        if request.method != "GET":
            origin = request.client.host if request.client else ""
            action = f"{request.method} {request.url.path}"
            orchestrator.journal.audit(name, origin, action, str(request.path_params.get("app", "")))
        return name


Reader = Annotated[str, Depends(_Holder(Scope.READ))]
Deployer = Annotated[str, Depends(_Holder(Scope.DEPLOY))]
Admin = Annotated[str, Depends(_Holder(Scope.ADMIN))]


def require_ready(orchestrator: Orchestrator) -> None:
    """Raises Refused until the recovery at the orchestrator's start has ended."""
    if not orchestrator.ready:
        raise Refused("The orchestrator is still starting.", "Try again. If this continues, run: changeover doctor")
