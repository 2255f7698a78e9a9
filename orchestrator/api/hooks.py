"""POST /v1/hooks/{app}/{forge}: what forges and registries announce. This application has no other route.

It is reached by the proxy alone, at a socket of its own (hook_socket.py), by strangers as well: a delivery is verified
over its raw body before anything of it is read, costs little memory however long it is, and is answered to strangers
alike whether there is such an app or not.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass

import structlog
from starlette.types import Receive, Scope, Send

from http_limits.bodies import Gone, refuse
from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.domain.push_check import Delivery, Forge
from orchestrator.errors import JournalError, UnknownApp
from orchestrator.proxy.hooks_way import LONG_BODY_WITHIN_S, PATH
from orchestrator.pushes.announcement import MOST_EVENTS, Ping, UnreadImages, announced, identifier
from orchestrator.pushes.followed import why_not_followed
from orchestrator.pushes.refusals import Outcome, PushCounts
from orchestrator.pushes.secret import push_secret
from orchestrator.pushes.signature import Signature, expected
from orchestrator.server import Orchestrator

log = structlog.get_logger()

MOST_OF_BODY = 25 * 2**20
"""GitHub sends no longer ones."""
MOST_READ = 2**20
"""A longer body is verified and not kept: the source is asked without knowing what was pushed."""
_ROUTE = re.compile(PATH + r"([a-z](?:[a-z0-9-]{0,29}[a-z0-9])?)/([a-z]{1,20})")
NOT_ACCEPTED = "The delivery is not signed with the secret of this app, or there is no such app."
TOO_LONG = f"The body is longer than {MOST_OF_BODY} bytes. What it announces is found by: changeover check APP"
NOT_READ = f"It has more than {MOST_READ} bytes or {MOST_EVENTS} events, and is not read. The source is asked."
NO_ROUTE = "There is nothing here. Deliveries go to /v1/hooks/APP/FORGE, by POST."


class _Refused(Exception):
    """The delivery is refused with this status."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status = status
        self.says = says


@dataclass(frozen=True)
class _Answer:
    status: int
    content: dict[str, object]
    location: str = ""


class Hooks:
    """The application. `counts` has what became of the deliveries."""

    def __init__(self, orchestrator: Orchestrator, counts: PushCounts) -> None:
        self._orchestrator = orchestrator
        self._counts = counts
        self._nobodys = secrets.token_hex(32)
        """What deliveries for apps without a secret are compared with, so that they take as long as others."""
        self._known: dict[str, str] = {}
        """The secrets by app, as they were read last."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except _Refused as error:
            await refuse(receive, send, error.status, error.says)
        except Gone:
            return
        except UnknownApp:  # removed from the configuration while the body came
            await refuse(receive, send, 401, NOT_ACCEPTED)
        except JournalError as error:
            log.error("push not recorded", cause=error.cause)
            await refuse(receive, send, 503, "The push was not recorded. Send it again.")
        else:
            await _send(send, answer)
        finally:
            # After the answer, for which the forge waits: a check starts processes.
            self._orchestrator.pushes.begin()

    async def _answer(self, scope: Scope, receive: Receive) -> _Answer:
        route = _ROUTE.fullmatch(scope["path"])
        if route is None or route[2] not in {*Forge} or scope["method"] != "POST":
            raise _Refused(404, NO_ROUTE)
        app, forge = route[1], Forge(route[2])
        headers = _headers(scope)
        if not self._orchestrator.config_file.is_known:
            raise _Refused(503, "The orchestrator waits for a valid configuration. Send it again.")
        name, address = app if self._orchestrator.apps.has(app) else "", headers.get("x-forwarded-for", "")[:100]
        try:
            if int(headers.get("content-length", "0")) > MOST_OF_BODY:  # h11 has checked that it is a number
                raise _Refused(413, TOO_LONG)
            secret, why = self._secret_of(app)
            signature = expected(forge, headers, secret or self._nobodys, time.time())
            body, digest = await _verified(receive, signature) if signature else (None, None)
        except _Refused as error:
            self._counts.refused(name, forge, address, error.says)
            raise
        if digest is None or not secret:
            self._counts.refused(name, forge, address, why or "wrong signature")
            raise _Refused(401, NOT_ACCEPTED)
        return await self._take(app, forge, headers, body, digest)

    async def _take(
        self, app: str, forge: Forge, headers: dict[str, str], body: bytes | None, digest: bytes
    ) -> _Answer:
        """Answer a verified delivery. Raises JournalError."""
        announcement = announced(forge, headers, body)
        if why := why_not_followed(self._orchestrator.apps.get(app).config.update, announcement):
            self._counts.total[app, forge, Outcome.IGNORED] += 1
            says = f"The hook of {app} works." if isinstance(announcement, Ping) else f"{app} is not checked: {why}."
            return _Answer(200, {"says": says})
        key = identifier(forge, headers, body) or secrets.token_hex(16)
        key = (
            key if len(key) <= 100 and key.isprintable() else hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
        )
        note = NOT_READ if body is None or isinstance(announcement, UnreadImages) else ""
        delivery = Delivery(app, forge, key, headers.get("x-forwarded-for", ""), f"POST {PATH}{app}/{forge}", note)
        check, is_new = await self._orchestrator.pushes.announced(delivery, digest)
        self._counts.total[app, forge, Outcome.ACCEPTED if is_new else Outcome.KNOWN] += 1
        where = f"/v1/apps/{app}/update/checks/{check.id}"
        content: dict[str, object] = {"check": check.id, "state": check.state, "url": where}
        return _Answer(202 if is_new else 200, content | ({"says": note} if note else {}), where)

    def _secret_of(self, app: str) -> tuple[str, str]:
        """The app's secret, and why there is none."""
        if not self._orchestrator.apps.has(app) or (push := self._orchestrator.apps.get(app).config.push) is None:
            return "", "no app of this name takes pushes"
        try:
            secret = push_secret(self._orchestrator.settings.config.parent, push.secret_file)
        except SecretUnreadable as error:
            return "", str(error)
        if self._known.get(app) != secret:
            self._known[app] = secret
            self._orchestrator.known_secrets.know({secret})
        return secret, ""


async def _verified(receive: Receive, signature: Signature) -> tuple[bytes | None, bytes | None]:
    """The body, None if it is too long to be kept, and its digest, None if it is not what was signed.

    Raises _Refused for a body that is too long or too slow, and Gone.
    """
    body, digest, length = bytearray(), hashlib.sha256(), 0
    try:
        async with asyncio.timeout(LONG_BODY_WITHIN_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part = message.get("body", b"")
                length += len(part)
                if length > MOST_OF_BODY:
                    raise _Refused(413, TOO_LONG)
                signature.update(part)
                digest.update(part)
                if length <= MOST_READ:
                    body += part
                else:
                    body.clear()
                if not message.get("more_body"):
                    break
    except TimeoutError as error:
        raise _Refused(408, f"The body did not arrive within {LONG_BODY_WITHIN_S:g} s.") from error
    kept = bytes(body) if length <= MOST_READ else None
    return kept, digest.digest() if signature.is_true() else None


def _headers(scope: Scope) -> dict[str, str]:
    """By lower-case name, without those that were sent twice: nobody can say which of them was meant."""
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    times = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if times[name] == 1}


async def _send(send: Send, answer: _Answer) -> None:
    body = json.dumps(answer.content).encode() + b"\n"
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if answer.location:
        headers.append((b"location", answer.location.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
