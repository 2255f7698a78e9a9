"""/v1/sessions: sessions of the panel, which a token opens. The panel uses the session's secret in place of a token."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.access import ReaderOfSome, Serving
from orchestrator.domain.access import Scope
from orchestrator.errors import Refused

router = APIRouter(prefix="/sessions")


class SessionView(BaseModel):
    """`token` is the name of the token that opened the session; `apps` are the apps that it is for, null for all."""

    token: str
    scope: Scope
    apps: list[str] | None
    expires_at: datetime | None


class NewSession(SessionView):
    """A new session with its secret, which is returned only once."""

    session: str


@router.post("", status_code=201)
async def open_session(orchestrator: Serving, who: ReaderOfSome) -> NewSession:
    """Open a session for the token of this request."""
    who.require_token()
    secret, session = await orchestrator.gate.open_session(who)
    return NewSession(
        session=secret,
        token=who.name,
        scope=who.scope,
        apps=None if who.apps is None else list(who.apps),
        expires_at=session.expires_at,
    )


@router.get("/current")
async def show(orchestrator: Serving, who: ReaderOfSome, used: bool = False) -> SessionView:
    """The session of this request. `used`: a person uses it now, so that it does not end for not being used."""
    if used and who.session:
        await orchestrator.gate.session_used(who)
    apps = None if who.apps is None else list(who.apps)
    return SessionView(token=who.name, scope=who.scope, apps=apps, expires_at=who.ends_at)


@router.delete("/current")
async def end(orchestrator: Serving, who: ReaderOfSome) -> dict[str, str]:
    """End the session of this request, and what was opened with it."""
    if not who.session:
        raise Refused("There is no session to end: the request has a token.", "Revoke it: changeover token revoke NAME")
    await orchestrator.gate.end_session(who)
    return {"ended": who.name}
