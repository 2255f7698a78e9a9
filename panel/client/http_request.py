"""Requests as they are sent: what HTTP and JSON cannot carry is refused before."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import httpx

from border.plain import plain
from panel.client.errors import Invalid, NotFound, NotSignedIn

STREAM_TIMEOUT = httpx.Timeout(10, read=60)
"""A stream has a comment every 15 s, so after 60 s without a byte the connection is considered dead."""
UPLOAD_TIMEOUT = httpx.Timeout(60, connect=5)
"""The answer comes when all is on the disk."""
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[\w.%-]+)+", re.ASCII)
_ASKS = re.compile(r"/v1/config/validate|/v1/apps/[^/]+/(?:update/check|backups/[^/]+/verify)")
"""The paths of requests that are sent with POST and change nothing."""
_IN_A_HEADER = re.compile(r"[!-~]*")


def only_asks(method: str, path: str) -> bool:
    """Whether a request changes nothing, so that nothing goes on without whoever sent it."""
    return method == "GET" or bool(_ASKS.fullmatch(path))


def fits_in_a_header(text: str) -> bool:
    """Whether it consists of visible ASCII characters (RFC 9110, section 5.5)."""
    return bool(_IN_A_HEADER.fullmatch(text))


def bearer(token: str) -> str:
    """The header for a token. Raises NotSignedIn for a text that a header cannot have, and so no token is."""
    if not fits_in_a_header(token):
        raise NotSignedIn(
            "The token is unknown: it has characters that no token has.",
            "Use the token in .changeover/token of the checkout, as it is.",
        )
    return f"Bearer {token}"


def built(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    **request: Any,  # Any: as httpx takes them
) -> httpx.Request:
    """Raises NotFound for a name that is none: as a part of the path it would lead to another request. Raises Invalid
    for half of a character, a number that JSON does not have, and a path that is too long."""
    if not _PATH.fullmatch(path):
        raise NotFound("There is no app, deployment or backup of this name.", "List the apps: changeover status")
    try:
        return http.build_request(method, path, **request)
    except (ValueError, httpx.InvalidURL) as error:
        why = "a text is not UTF-8" if isinstance(error, UnicodeError) else plain(str(error)).rstrip(".")
        raise Invalid(f"The request cannot be sent: {why}.", "Correct the values of the command.") from error


def told(request: httpx.Request, begins: Callable[[], None]) -> httpx.Request:
    """The request, which calls `begins` when its first byte is about to be sent: when there is a connection.

    The names of the steps are those of httpcore (https://www.encode.io/httpcore/extensions/#trace).
    """

    async def trace(step: str, _details: object) -> None:
        if step.endswith(".send_request_headers.started"):
            begins()

    request.extensions = {**request.extensions, "trace": trace}
    return request


@asynccontextmanager
async def opened(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    **request: Any,  # Any: as above
) -> AsyncIterator[httpx.Response]:
    """The answer, whose body is read as it comes. Raises Invalid as `built` does, and httpx.HTTPError."""
    answer = await http.send(built(http, method, path, timeout=STREAM_TIMEOUT, **request), stream=True)
    answer.encoding = "utf-8"  # as JSON is, whatever the answer says of itself: that may be no encoding
    async with aclosing(answer):
        yield answer
