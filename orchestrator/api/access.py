"""What routes are given: the orchestrator, and the name of a token's holder who may do what the route does."""

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
    """A dependency that lets only tokens of a scope pass, and writes whatever they change to the audit log."""

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
    """Nothing is deployed before what an earlier stop interrupted is dealt with."""
    if not orchestrator.ready:
        raise Refused("The orchestrator is still starting.", "See 'changeover doctor' if it stays so.")
