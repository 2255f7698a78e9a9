"""Credentials in URLs: which values they are, and the URL without them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

HIDDEN = "[hidden]"

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<rest>\S*)")
_PORT = re.compile(r"\d{1,5}")
_BETWEEN_PARAMETERS = re.compile(r"[&#\s]")

# Their time grows with the length of the text alone: whoever writes a commit message or a log may write a long one. So
# no part that may be repeated begins at every character, and the name of a parameter is looked at by a lookahead.
_IN_AUTHORITY = re.compile(r"(?<=[A-Za-z0-9+.-])(://)[^\s/?#\"'<>|]*@")
_SECRET_NAME = r"(?=[\w.-]*(?:token|secret|passw|pwd|passphrase|api_?key|access_?key|auth|signature|credential))[\w.-]+"
_IN_QUERY = re.compile(rf"(?i)([?&]{_SECRET_NAME}=)[^\s&#\"'<>]+")
_IN_HEADER = re.compile(r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?(?:(?:basic|bearer|token)\s+)?)[^\s\"']+")


def credentials_in(url: str) -> set[str]:
    """User names, passwords and values of the query of a URL, as written and decoded; empty for what is not a URL.

    Meant for addresses that somebody configured: a password may contain `/` and `@`, although it should be encoded.
    """
    found = _URL.fullmatch(url.strip())
    if not found:
        return set()
    user, _host = _split(found["rest"])
    name, colon, password = user.partition(":")
    values = {password} if colon else {name}
    # In parts: an expression for a name and its value takes minutes for a long text without a `=`.
    parameters = [part.partition("=") for part in _BETWEEN_PARAMETERS.split(found["rest"].partition("?")[2])]
    values |= {value for _name, _, value in parameters}
    return {form for value in values if value for form in (value, unquote(value), unquote_plus(value))}


def without_credentials(url: str) -> str:
    """A configured address for people: without user name, password and query."""
    found = _URL.fullmatch(url.strip())
    if not found:
        return url
    _user, host = _split(found["rest"])
    return found["scheme"] + host.partition("?")[0]


def hide_in_urls(text: str) -> str:
    """Any text, with user names and passwords of URLs, secret parameters of their queries, and credentials of an
    Authorization header hidden."""
    if "://" in text:
        text = _IN_AUTHORITY.sub(rf"\1{HIDDEN}@", text)
    if "=" in text:
        text = _IN_QUERY.sub(rf"\1{HIDDEN}", text)
    return _IN_HEADER.sub(rf"\1{HIDDEN}", text) if "uthoriz" in text or "UTHORIZ" in text else text


def hidden_in_urls(text: str) -> Iterator[tuple[int, int]]:
    """Where what `hide_in_urls` hides begins, with the words that show it, and where it ends."""
    for pattern in (_IN_AUTHORITY, _IN_QUERY, _IN_HEADER):
        yield from (found.span() for found in pattern.finditer(text))


def _split(rest: str) -> tuple[str, str]:
    """What is before the `@` of the host, and what is after it. Before a `?` only, unless the password has one."""
    before_query = rest.partition("?")[0]
    candidates = [before_query, rest] if "@" not in before_query else [before_query]
    for part in candidates:
        user, at, _host = part.rpartition("@")
        if at and _is_user(user):
            return user, rest[len(user) + 1 :]
    return "", rest


def _is_user(before: str) -> bool:
    """Whether what stands before an `@` are credentials, and not a host with a path that contains an `@`."""
    first, slash, _path = before.partition("/")
    if not slash:
        return True
    host, colon, port = first.partition(":")
    # `host:8080/path@1` has a port; `user:pass/word@host` and `token/more@host` have none.
    return not _PORT.fullmatch(port) if colon else "." not in host and host != "localhost"
