"""The gate of the API: finds out who sent a request, and ends what a token or session has begun when it is over."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from orchestrator.access import tokens
from orchestrator.access.attempts import Attempts
from orchestrator.access.caller import Caller
from orchestrator.access.rooms import STREAMS, Room
from orchestrator.clock import now
from orchestrator.domain.access import SESSION_LASTS, PanelSession, Scope, Token
from orchestrator.errors import NotAllowed, TooManyStreams
from orchestrator.journal.store import Journal
from orchestrator.journal.tokens import digest_of

SESSION_PREFIX = "cs_"
MOST_SESSIONS, MOST_OF_TOKEN = 500, 20
"""Open sessions of the panel, in total and by token. A new one beyond them ends the least recently used one."""
LONGEST_TIMER_S = 24 * 3600.0
"""A stream whose token or session expires is ended after this time at the latest; its client opens it again."""
HOW_TO_GET_A_TOKEN = (
    "Use the token in .changeover/token of the checkout: run the command there, or name that file in "
    "CHANGEOVER_TOKEN_FILE. Or create one: changeover token create; "
    "when every token is lost, on the server: make token"
)


class Gate:
    """Tokens and sessions of the panel.

    Used on the event loop; the journal is read and written in threads, which are awaited to their end when the request
    is cancelled. Every method that reads or writes raises JournalError.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._attempts = Attempts()
        self._watching: dict[asyncio.Event, tuple[Caller, Room]] = {}

    async def admit(self, secret: str, address: str, origin: str) -> Caller:
        """The caller with this secret. `address` is slowed down if the secret is wrong; `origin` is for the record.

        Raises NotAllowed, or TooManyTries when the address has sent too many wrong secrets.
        """
        if not secret:
            raise NotAllowed("No token was given.", HOW_TO_GET_A_TOKEN)
        digest = digest_of(secret)
        async with self._attempts.turn(address, digest):
            session, token = await self._journal.beside(lambda: self._find(secret))
            if token is None:
                self._attempts.wrong(address)
                raise NotAllowed("The token is unknown or revoked.", HOW_TO_GET_A_TOKEN)
        if why := _invalid_because(session, token, now()):
            # It was valid once: whoever has it does not guess.
            raise NotAllowed(why, "Sign in again." if session else HOW_TO_GET_A_TOKEN)
        self._attempts.accepted(digest)
        return _caller(session, token, origin)

    async def knows(self, secret: str) -> bool:
        """Whether a body that comes with this secret is read. Wrong secrets are counted by `admit`, which follows."""
        if not secret:
            return False
        session, token = await self._journal.beside(self._find, secret)
        return token is not None and not _invalid_because(session, token, now())

    async def is_valid(self, caller: Caller) -> bool:
        """Whether the caller would still be accepted."""
        session, token = await self._journal.beside(lambda: self._find_again(caller))
        return token is not None and not _invalid_because(session, token, now())

    @contextmanager
    def watch(self, caller: Caller, room: Room = STREAMS) -> Iterator[asyncio.Event]:
        """An event that is set when the caller's token is revoked or expires, or its session ends. Takes a place."""
        over = asyncio.Event()
        self._watching[over] = caller, room
        expiry = None
        if caller.ends_at:
            remaining_s = max(0.0, (caller.ends_at - now()).total_seconds())
            expiry = asyncio.get_running_loop().call_later(min(remaining_s, LONGEST_TIMER_S), over.set)
        try:
            yield over
        finally:
            del self._watching[over]
            if expiry:
                expiry.cancel()

    def refuse_too_many(self, caller: Caller, room: Room = STREAMS) -> None:
        """Raises TooManyStreams when the caller's token, or all tokens together, have no further place in the room."""
        of_token, in_total = self._taken(caller, room)
        if of_token >= room.most_of_token or in_total >= room.most:
            raise TooManyStreams(room.what, caller.name, of_token, in_total)

    def has_too_many(self, caller: Caller, room: Room = STREAMS) -> bool:
        """Whether there are more than may be, this one included: others may have begun since it was admitted."""
        of_token, in_total = self._taken(caller, room)
        return of_token > room.most_of_token or in_total > room.most

    def _taken(self, caller: Caller, room: Room) -> tuple[int, int]:
        """By the caller's token, and in total."""
        there = [other for other, taken in self._watching.values() if taken is room]
        return sum(1 for other in there if other.name == caller.name), len(there)

    # Tokens

    async def tokens(self) -> list[Token]:
        return await self._journal.beside(self._journal.tokens)

    async def create_token(
        self, name: str, scope: Scope, apps: Iterable[str] | None, expires_at: datetime | None
    ) -> str:
        """Create a token and return its secret. Raises Refused."""
        return await self._journal.beside(lambda: tokens.create(self._journal, name, scope, apps, expires_at))

    async def revoke_token(self, name: str) -> bool:
        """Revoke a token, and end its sessions and streams. False if no such token is valid."""
        revoked = await self._journal.beside(lambda: self._journal.revoke_token(name))
        self._end(lambda caller: caller.name == name)
        return revoked

    # Sessions of the panel

    async def open_session(self, caller: Caller) -> tuple[str, PanelSession]:
        """Open a session of the panel for a token. Returns its secret, which cannot be read again."""
        secret = SESSION_PREFIX + secrets.token_urlsafe(32)
        moment = now()
        expires_at = min(filter(None, [moment + SESSION_LASTS, caller.ends_at]))
        session = PanelSession(digest_of(secret), caller.name, caller.origin, moment, moment, expires_at)
        ended = await self._journal.beside(
            lambda: self._journal.add_panel_session(secret, session, MOST_OF_TOKEN, MOST_SESSIONS)
        )
        self._end(lambda other: other.session in ended)
        return secret, session

    async def session_used(self, caller: Caller) -> None:
        """Note that a person uses the session now."""
        await self._journal.beside(lambda: self._journal.panel_session_used(caller.session))

    async def sessions(self) -> list[PanelSession]:
        """The sessions that are accepted now, the last used first."""
        moment = now()
        found = await self._journal.beside(self._journal.open_panel_sessions)
        return [one for one in found if not one.invalid_because(moment)]

    async def end_session(self, digest: str) -> None:
        """End a session of the panel, and its streams. Its open pages find that out and close."""
        await self._journal.beside(lambda: self._journal.end_panel_session(digest))
        self._end(lambda other: other.session == digest)

    def _end(self, is_over: Callable[[Caller], bool]) -> None:
        for over, (caller, _) in self._watching.items():
            if is_over(caller):
                over.set()

    def _find(self, secret: str) -> tuple[PanelSession | None, Token | None]:
        session = self._journal.panel_session(secret) if secret.startswith(SESSION_PREFIX) else None
        return session, self._journal.token_named(session.token) if session else self._journal.token(secret)

    def _find_again(self, caller: Caller) -> tuple[PanelSession | None, Token | None]:
        session = self._journal.panel_session_by_digest(caller.session) if caller.session else None
        if caller.session and session is None:
            return None, None
        return session, self._journal.token_named(caller.name)


def _invalid_because(session: PanelSession | None, token: Token, moment: datetime) -> str:
    return (session.invalid_because(moment) if session else "") or token.invalid_because(moment)


def _caller(session: PanelSession | None, token: Token, origin: str) -> Caller:
    if session is None:
        return Caller(token.name, token.scope, token.apps, origin, ends_at=token.expires_at)
    ends_at = min(filter(None, [session.expires_at, token.expires_at]))
    browser = session.origin.partition(" by ")[0]
    return Caller(token.name, token.scope, token.apps, f"{browser} by {origin}", session.digest, ends_at)
