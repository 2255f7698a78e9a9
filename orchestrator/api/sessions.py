"""/v1/sessions: sessions of the panel, which a token opens. The panel uses the session's secret in place of a token."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.access import Admin, Auditor, ReaderOfSome, Serving
from orchestrator.api.values import SessionId
from orchestrator.domain.access import Scope
from orchestrator.errors import Refused

router = APIRouter(prefix="/sessions")


class SessionView(BaseModel):
    """`token` is the name of the token that opened the session; `apps` are the apps that it is for, null for all."""

    token: str
    scope: Scope
    apps: list[str] | None
    expires_at: datetime | None


class OpenSession(BaseModel):
    """An open session, for admins. `origin`: the browser's address at sign-in; `used_at`: when it was used last."""

    id: str
    token: str
    origin: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


class OpenSessions(BaseModel):
    sessions: list[OpenSession]


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
    await orchestrator.gate.end_session(who.session)
    return {"ended": who.name}


@router.get("")
async def list_sessions(orchestrator: Serving, _who: Auditor) -> OpenSessions:
    """The open sessions of all people, the last used first."""
    return OpenSessions(
        sessions=[
            OpenSession(
                id=one.id,
                token=one.token,
                origin=one.origin,
                created_at=one.created_at,
                used_at=one.used_at,
                expires_at=one.expires_at,
            )
            for one in await orchestrator.gate.sessions()
        ]
    )


@router.delete("/{session_id}")
async def end_of(session_id: SessionId, orchestrator: Serving, _who: Admin) -> dict[str, str]:
    """End the session of somebody, its streams at once and its open pages within 15 seconds."""
    found = [one for one in await orchestrator.gate.sessions() if one.id == session_id]
    if not found:
        raise Refused(
            f"There is no open session {session_id}.", "List the open sessions of the panel: changeover session list"
        )
    for one in found:
        await orchestrator.gate.end_session(one.digest)
    return {"ended": session_id}
