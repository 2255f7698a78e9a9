"""Requests to a web server that an app's releases come from: limited in size and time, and tried again.

The server is a stranger: it may stall, drip, lie about a length, or lead elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from border.plain import plain
from orchestrator.errors import StepFailed
from orchestrator.host.bounded_answer import no_cookies
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.certificates import authorities
from orchestrator.sources.not_reached import LOOK, why_not_reached
from orchestrator.sources.private_address import NOT_JUDGED, Judgement
from orchestrator.sources.redirects import Asked, answered, is_same_server, look_at, request_at, shown, where_it_leads

T = TypeVar("T")

MOST_OF_PAGE = 64 * 2**20
"""Bytes. The largest pages of an index have 20 MB."""
MOST_OF_DOWNLOAD = 2 * 2**30
PAGE_WITHIN_S, DOWNLOAD_WITHIN_S = 60.0, 1800.0
SILENCE_S = 20.0
"""A server that sends nothing for so long is given up."""
TRIES = 4
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
MOST_REDIRECTS = 5
MOST_OF_ETAG = 1000
"""Characters. A server may refuse a request with a longer one, for ever."""
_FOR_ANY_SERVER = ("accept", "accept-encoding", "cache-control", "content-type", "if-none-match")
"""The headers that are sent on where a server leads to another one."""
_CORRECT, _LIMITS = "Correct the address, or put there what it names.", "docs/limits.md has the limits."
_NO_LOGIN = "Correct the address, or let the server give it without a login (Git, indexes and registries have one)."
_WANTS_HTTPS = "If the server answers by https, write https:// into the address, or remove 'insecure' of the registry."
_ETAG = re.compile(r"[\x20-\x7e]+")
"""Without the octets beyond ASCII that RFC 9110, section 8.8.3 allows: httpx cannot send them back."""


@dataclass(frozen=True)
class Page:
    """An answer that was read whole. `url`: where it was in the end. `etag`: with it, the next request may find that
    nothing changed. `has_next`: whether another page follows (RFC 8288). `judged`: what is known of its server."""

    url: str
    content: bytes
    media_type: str
    etag: str
    has_next: bool = False
    judged: Judgement = NOT_JUDGED

    @property
    def digest(self) -> str:
        """Of the content, `sha256:…`."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


class NotThere(StepFailed):
    """The server does not have it (404 or 410)."""


class Unauthorised(StepFailed):
    """The server wants credentials, or others. `challenge`: its header WWW-Authenticate; empty where another server was
    led to, which must not say to whom the credentials of the first one are sent."""

    def __init__(self, cause: str, challenge: str) -> None:
        super().__init__(cause, _NO_LOGIN)
        self.challenge = challenge


class _Again(Exception):
    """Worth another try: the server did not answer, or said that it cannot now."""


class Web:
    """Asks servers. `pause_s`: before the second try; each further one is twice as long."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None, pause_s: float = FIRST_PAUSE_S) -> None:
        self._transport = transport
        self._pause_s = pause_s

    async def page(
        self,
        url: str,
        accept: str,
        known: Page | None = None,
        *,
        authorization: str = "",
        most: int | None = None,
        led_from: str = "",
        judged: Judgement = NOT_JUDGED,
        post: tuple[bytes, str] | None = None,
    ) -> Page:
        """Read a page of at most `most` bytes; `known` if it is unchanged since. `authorization` is for this server
        alone, not for one it leads to. `led_from`: the address of the server that named this one, if one did;
        `judged`: what is known of that. `post`: what is sent, and its media type.

        Raises NotThere, Unauthorised, and StepFailed when the server cannot be asked or the page is too large.
        """
        headers = {"accept": accept, "accept-encoding": "identity"}
        if authorization:
            headers["authorization"] = authorization
        if known and known.etag:
            headers["if-none-match"] = known.etag
        else:
            headers["cache-control"] = "no-cache"  # what is asked afresh is not answered by a cache on the way
        if post:
            headers["content-type"] = post[1]

        async def ask(asked: Asked) -> Page:
            method, body = ("POST", post[0]) if post else ("GET", b"")
            by = self._answer(asked, headers, method=method, content=body, led_from=led_from, judged=judged)
            async with by as (answer, found):
                if answer.status_code == httpx.codes.NOT_MODIFIED:
                    if known and "if-none-match" in headers:
                        return known
                    raise StepFailed(f"{shown(url)} answered that nothing changed, which was not asked.", look_at(url))
                content = bytearray()
                async for chunk in _body(answer, MOST_OF_PAGE if most is None else most):
                    content += chunk
                media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
                has_next = answer.links.get("next") is not None
                return Page(str(answer.url), bytes(content), media_type, _etag(answer), has_next, found)

        return await self._tried(url, ask, PAGE_WITHIN_S)

    async def is_unchanged(self, url: str, accept: str, known: Page, *, authorization: str = "") -> bool:
        """Whether a page is the one that is known, by its headers alone (HEAD). Raises as `page`."""
        headers = {"accept": accept, "accept-encoding": "identity"}
        if known.etag:
            headers["if-none-match"] = known.etag
        if authorization:
            headers["authorization"] = authorization

        async def ask(asked: Asked) -> bool:
            async with self._answer(asked, headers, method="HEAD") as (answer, _):
                is_same = bool(known.etag) and _etag(answer) == known.etag
                return is_same or (answer.status_code == httpx.codes.NOT_MODIFIED and bool(known.etag))

        return await self._tried(url, ask, PAGE_WITHIN_S)

    async def download(
        self,
        url: str,
        to: Path,
        sha256: str,
        *,
        led_from: str = "",
        judged: Judgement = NOT_JUDGED,
        most: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """Write a file of at most `most` bytes whose digest is known. Returns its size in bytes; what is not whole is
        removed. `led_from`: the address of the server that named this one, if one did; `judged`: what is known of that.
        `headers`: more of them, which may be secret, for this server alone.

        Raises NotThere, and StepFailed when the server cannot be asked, when what it sends is not that file, or when it
        cannot be written.
        """
        more = {name.lower(): value for name, value in (headers or {}).items()}
        sent = {**more, "accept-encoding": "identity"}

        async def ask(asked: Asked) -> int:
            digest, size = hashlib.sha256(), 0
            async with self._answer(asked, sent, led_from=led_from, judged=judged, is_secret=bool(more)) as (answer, _):
                with to.open("wb") as file:
                    async for chunk in _body(answer, MOST_OF_DOWNLOAD if most is None else most):
                        digest.update(chunk)
                        size += len(chunk)
                        await to_its_end(asyncio.to_thread(file.write, chunk))
                announced = answer.headers.get("content-length")
            if announced and announced.isdigit() and int(announced) != size:
                raise _Again(f"sent {size} of {announced} bytes")
            if digest.hexdigest() != sha256:
                raise StepFailed(
                    f"{shown(url)} is not the file that was announced: its SHA-256 is {digest.hexdigest()[:16]}…, "
                    f"not {sha256[:16]}….",
                    "Nothing of it is used. If a cache is between, empty it; else ask who runs the server.",
                )
            return size

        try:
            return await self._tried(url, ask, DOWNLOAD_WITHIN_S)
        except OSError as error:
            with suppress(OSError):  # what takes no file removes none
                to.unlink(missing_ok=True)
            raise StepFailed(
                f"{shown(url)} cannot be downloaded to {to.name}: {error.strerror}.",
                "Free disk space: 'changeover doctor' shows its use.",
            ) from error
        except BaseException:
            with suppress(OSError):
                to.unlink(missing_ok=True)
            raise

    async def _tried(self, url: str, ask: Callable[[Asked], Awaitable[T]], within_s: float) -> T:
        """What `ask` gives, within `within_s` seconds in all. Raises StepFailed."""
        again = AsyncRetrying(
            retry=retry_if_exception_type((_Again, httpx.TransportError)),
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential_jitter(multiplier=self._pause_s, max=LONGEST_PAUSE_S, jitter=self._pause_s),
            reraise=True,
        )
        asked = Asked(url, url)
        try:
            async with asyncio.timeout(within_s):
                return await again(ask, asked)
        except TimeoutError as error:
            raise StepFailed(f"{asked.in_words} was not read within {within_s:g} s.", look_at(asked.last)) from error
        except (_Again, httpx.HTTPError, httpx.InvalidURL) as error:
            said = plain(str(error))[:300].rstrip(".") or type(error).__name__
            why, remedy = why_not_reached(f"{type(error).__name__}: {said}") or (said, "")
            raise StepFailed(
                f"{asked.in_words} cannot be read: {why}. It was tried {TRIES} times.", look_at(asked.last, remedy)
            ) from error

    @asynccontextmanager
    async def _answer(
        self,
        asked: Asked,
        headers: Mapping[str, str],
        *,
        method: str = "GET",
        content: bytes = b"",
        led_from: str = "",
        judged: Judgement = NOT_JUDGED,
        is_secret: bool = True,
    ) -> AsyncGenerator[tuple[httpx.Response, Judgement], None]:
        """The answer with status 200 or 304, after redirects that lead where they may, and what is known of who gives
        it. Writes into `asked` what is asked."""
        sent = dict(headers)
        asked.last = asked.first
        url, judged = await where_it_leads(led_from, asked.first, judged, is_secret=is_secret)
        async with httpx.AsyncClient(
            transport=self._transport, timeout=SILENCE_S, cookies=no_cookies(), verify=authorities()
        ) as client:
            first = url
            for _ in range(MOST_REDIRECTS + 1):
                async with client.stream(method, content=content or None, **request_at(url, sent, judged)) as answer:
                    judged = answered(url, answer, judged)
                    answer.request = httpx.Request(method, url)  # without the address that it was sent to
                    if not answer.has_redirect_location:
                        _refuse_by_status(url, answer, is_first=is_same_server(url, first))
                        yield answer, judged
                        return
                    location = answer.headers["location"]
                leads_to, judged = await where_it_leads(url, location, judged)
                if not is_same_server(url, leads_to):
                    sent = {name: value for name, value in sent.items() if name in _FOR_ANY_SERVER}
                asked.last = url = leads_to
        raise StepFailed(f"{shown(url)} leads on and on: after {MOST_REDIRECTS} redirects there was another one.", LOOK)


async def _body(answer: httpx.Response, most: int) -> AsyncGenerator[bytes, None]:
    """The body, piece by piece. Raises StepFailed when it is longer than `most` bytes, or compressed.

    Compressed, a few bytes could become any number.
    """
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise StepFailed(f"{shown(str(answer.url))} is compressed, although that was not asked for.", LOOK)
    size = 0
    async for chunk in answer.aiter_raw():
        size += len(chunk)
        if size > most:
            raise StepFailed(f"{shown(str(answer.url))} is larger than {most // 2**20} MiB.", _LIMITS)
        yield chunk


def _etag(answer: httpx.Response) -> str:
    etag = str(answer.headers.get("etag", ""))
    return etag if len(etag) <= MOST_OF_ETAG and _ETAG.fullmatch(etag) else ""


def _refuse_by_status(url: str, answer: httpx.Response, *, is_first: bool) -> None:
    status = answer.status_code
    if status in (httpx.codes.OK, httpx.codes.NOT_MODIFIED):
        return
    says = f"{shown(url)} answered with status {status}"
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise NotThere(f"{says}: it does not exist.", look_at(url, _CORRECT))
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        challenge = answer.headers.get("www-authenticate", "")[:2000] if is_first else ""
        raise Unauthorised(f"{says}: it may not be read without credentials, or not with these.", challenge)
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _Again(f"status {status}")
    # So servers that answer by https alone (Go's, nginx) answer a request without encryption.
    in_the_open = status == httpx.codes.BAD_REQUEST and url.startswith("http://")
    raise StepFailed(f"{says}, instead of 200.", look_at(url, _WANTS_HTTPS if in_the_open else ""))
