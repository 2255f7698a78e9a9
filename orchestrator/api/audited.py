"""Adds the outcome of each request that is recorded in the audit log: the status of its answer, and why it failed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.server import Orchestrator

ENTRY, REASON = "audit_entry", "audit_reason"
"""In the request's state: the id of the entry in the audit log, and why the request failed, or what its body asked
for."""


def note(request: Request, says: str) -> None:
    """Add to the audit log's entry what the body of this request asks for. If it fails, the cause takes its place."""
    setattr(request.state, REASON, says)


def entry_of(request: Request) -> int | None:
    """The entry of a request in the audit log, for an outcome that is known only after its answer has begun."""
    entry: int | None = getattr(request.state, ENTRY, None)
    return entry


class Audited:
    """Middleware. The outcome is recorded before the answer is sent, so that who has the answer finds it there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._ended(scope, int(message["status"]))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            await self._ended(scope, 500)
            raise

    async def _ended(self, scope: Scope, status: int) -> None:
        state = scope.get("state", {})
        entry = state.pop(ENTRY, None)
        if entry is not None:
            orchestrator: Orchestrator = scope["app"].state.orchestrator
            await orchestrator.audit.ended(entry, status, str(state.get(REASON, "")))
