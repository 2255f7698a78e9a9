"""Dependencies of the routes: the orchestrator, and a caller with the required scope and for the route's app.

A route takes `Reader`, `Deployer` or `Admin`. A caller whose token is for some apps only is refused by a route of
another app, and by every route without an app, except for those that take one of the `…OfSome` dependencies: these
filter what they show by `Caller.sees`, or check the app themselves by `Caller.require_app`.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated

from fastapi import Depends, Header, Request

from orchestrator.access.caller import Caller
from orchestrator.config.schema import PANEL
from orchestrator.domain.access import Scope
from orchestrator.errors import ChangeoverError, NotAllowed, Refused, TooManyTries
from orchestrator.server import Orchestrator

FORWARDED = "changeover-client"
"""The request header in which the panel names the address of the browser for which it asks."""


def _orchestrator(request: Request) -> Orchestrator:
    found = request.app.state.orchestrator
    assert isinstance(found, Orchestrator)
    return found


Serving = Annotated[Orchestrator, Depends(_orchestrator)]


class _Holder:
    """A dependency that requires a token or a session of the panel, with a scope.

    Refused requests, those other than GET, and those that are `sensitive` are recorded in the audit log, before they
    are carried out; `audited.py` adds the outcome. Keys that are typed to a command that is in it are not (`of_keys`).
    """

    def __init__(self, scope: Scope, *, of_some: bool = False, sensitive: bool = False, of_keys: bool = False) -> None:
        self._scope = scope
        self._of_some = of_some
        self._sensitive = sensitive
        self._of_keys = of_keys

    async def __call__(
        self, request: Request, orchestrator: Serving, authorization: Annotated[str, Header()] = ""
    ) -> Caller:
        app = str(request.path_params.get("app", ""))
        action = _action(request)
        address, origin = _address(request, orchestrator), _origin(request)
        caller = None
        try:
            caller = await orchestrator.gate.admit(bearer(authorization), address, origin)
            caller.require(self._scope)
            if app:
                caller.require_app(app)
            elif not self._of_some:
                caller.require_all_apps()
        except (NotAllowed, TooManyTries) as error:
            who, status = (caller.name if caller else ""), status_of(error)
            await orchestrator.audit.refused(who, caller.origin if caller else origin, action, app, status, error.cause)
            raise
        if self._sensitive or (request.method != "GET" and not self._of_keys):
            request.state.audit_entry = await orchestrator.audit.begun(caller, action, app)
        return caller


def _action(request: Request) -> str:
    """What a request does, for the audit log: with the parameters by which it says what it changes, such as the name
    of a token. What it only asks for is left out."""
    query = f"?{request.url.query}" if request.url.query and request.method != "GET" else ""
    return f"{request.method} {request.url.path}{query}"


def status_of(error: ChangeoverError) -> int:
    """The HTTP status of a refusal."""
    if isinstance(error, TooManyTries):
        return 429
    return 403 if isinstance(error, NotAllowed) and error.known else 401


def bearer(authorization: str) -> str:
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _browser(request: Request) -> str:
    """The address that the panel names; empty if the header has none. Anybody can send such a header."""
    try:
        return str(ipaddress.ip_address(request.headers.get(FORWARDED, "")))
    except ValueError:
        return ""


def _address(request: Request, orchestrator: Orchestrator) -> str:
    """The address that is slowed down for wrong tokens: the browser's if the panel's own container asks for it."""
    peer, browser = _peer(request), _browser(request)
    panel = orchestrator.apps.get(PANEL)
    if browser and peer in {release.address for release in (panel.active, panel.standby) if release}:
        return browser
    return peer


def _origin(request: Request) -> str:
    """Where the request came from, for the audit log: who asked, and for which browser, if that is said."""
    browser = _browser(request)
    return f"{browser} by {_peer(request)}" if browser else _peer(request)


Reader = Annotated[Caller, Depends(_Holder(Scope.READ))]
ReaderOfSome = Annotated[Caller, Depends(_Holder(Scope.READ, of_some=True))]
Deployer = Annotated[Caller, Depends(_Holder(Scope.DEPLOY))]
DeployerOfSome = Annotated[Caller, Depends(_Holder(Scope.DEPLOY, of_some=True))]
Admin = Annotated[Caller, Depends(_Holder(Scope.ADMIN))]
Typist = Annotated[Caller, Depends(_Holder(Scope.ADMIN, of_keys=True))]
Auditor = Annotated[Caller, Depends(_Holder(Scope.ADMIN, sensitive=True))]


def require_ready(orchestrator: Orchestrator) -> None:
    """Raises Refused until the recovery at the orchestrator's start has ended."""
    if not orchestrator.ready:
        raise Refused("The orchestrator is still starting.", "Try again. If this continues, run: changeover doctor")
