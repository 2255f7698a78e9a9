"""An HTTP answer of a stranger: limited in size and in total time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

MOST_BYTES = 64 * 1024
"""So much of a body is read. What an answer has beyond it is not waited for, and the connection is closed."""
LONGEST_TYPE = 200
"""So much of a Content-Type is looked at."""
TEXT_CHARSET = re.compile(
    r"""[;\s]charset\s*=\s*["']?"""
    r"""(utf-?8|(?:us-)?ascii|iso-?8859-(?:[1-9]|1[013-6])|(?:windows-|cp)125[0-8])["']?\s*(?:;|$)""",
    re.IGNORECASE,
)
"""An answer that claims another charset is read as UTF-8: Python has codecs that are none for a text, such as `hex`,
and none for a number that is of no charset, such as ISO 8859-12.
httpx asks Python's parser of e-mail, which raises other errors for odd headers, and is slow for long ones."""
EVERY = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "changeover"}
"""Every request has these headers."""
OF_THE_TRANSFER = (b"content-encoding", b"content-length", b"transfer-encoding")


def no_cookies() -> CookieJar:
    """The cookies of a client that is used again: those of one answer are for no other request, nor for another app."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


async def bounded_get(
    transport: httpx.AsyncBaseTransport, url: str, headers: Mapping[str, str], within_s: float
) -> httpx.Response:
    """Send GET `url`: status, headers and the first MOST_BYTES of the body, all within `within_s` seconds.

    httpx's own timeouts are for each read, so that an answer that drips has no end. Its client would also follow what
    the answer says, such as a Location that is no URL, which it takes for an error. A compressed body is not read: it
    may be a thousand times as long. Raises httpx.HTTPError, a ReadTimeout also when the answer is not complete in time.
    """
    limits = {"timeout": httpx.Timeout(within_s).as_dict()}
    request = httpx.Request("GET", url, headers={**EVERY, **headers}, extensions=limits)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s), aclosing(await transport.handle_async_request(request)) as answer:
            if answer.headers.get("content-encoding", "identity") == "identity":
                async for chunk in answer.aiter_raw():
                    body += chunk[: MOST_BYTES - len(body)]
                    if len(body) >= MOST_BYTES:
                        break
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"the answer was not complete within {within_s:g} s") from error
    return bounded(answer.status_code, answer.headers.raw, body, request)


def bounded(
    status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes | bytearray, request: httpx.Request
) -> httpx.Response:
    """An answer of which the body was read as far as MOST_BYTES. A charset that is none for a text counts as UTF-8.

    `headers` are the bytes that came: what is not ASCII is read as UTF-8, or else as ISO 8859-1.
    """
    kept = [(name, value) for name, value in headers if name.lower() not in OF_THE_TRANSFER]
    answer = httpx.Response(status, headers=kept, content=bytes(body), request=request)
    named = TEXT_CHARSET.search(answer.headers.get("content-type", "")[:LONGEST_TYPE])
    answer.encoding = named[1] if named else "utf-8"
    return answer
