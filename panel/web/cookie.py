"""The cookie that has the secret of a person's session.

Over HTTPS its name begins with `__Host-`, so that browsers take it only from this very host and send it only there (RFC
6265bis, section 4.1.3.2). The proxy takes it out of requests to other apps and out of their answers
(orchestrator/proxy/haproxy_config.py has the same names).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import Response
from starlette.datastructures import Headers

NAME = "changeover_session"
NAME_OVER_HTTPS = f"__Host-{NAME}"
FORMER_NAME = "changeover_token"
"""Earlier versions kept the token itself in this cookie. It is removed from browsers that still have it."""
PREFIX = "cs_"
LONGEST = 200


def is_https(headers: Mapping[str, str]) -> bool:
    return headers.get("x-forwarded-proto") == "https"


def name_for(headers: Mapping[str, str]) -> str:
    return NAME_OVER_HTTPS if is_https(headers) else NAME


def secret_in(headers: Headers) -> str:
    """The session's secret; empty if there is none.

    A name is ours only as browsers see it, without spaces and tabs around it. Python's `strip`, by which Starlette
    reads cookies, also takes other characters away: a cookie whose name begins with one is another one to the browser,
    and may come from every host of the same domain, in spite of the prefix.
    """
    named = [one.strip(" \t").partition("=") for line in headers.getlist("cookie") for one in line.split(";")]
    secret = next((value for name, _, value in reversed(named) if name == name_for(headers)), "")
    return secret if secret.startswith(PREFIX) and len(secret) <= LONGEST else ""


def give(answer: Response, headers: Mapping[str, str], secret: str, expires_at: datetime | None) -> None:
    """Let the browser keep the secret, until the session expires at the latest."""
    secure = is_https(headers)
    answer.set_cookie(
        name_for(headers), secret, expires=expires_at, path="/", httponly=True, samesite="strict", secure=secure
    )
    answer.delete_cookie(FORMER_NAME, path="/", httponly=True, samesite="strict")


def take_away(answer: Response, headers: Mapping[str, str]) -> None:
    secure = is_https(headers)
    for name in (name_for(headers), FORMER_NAME):
        answer.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=secure)
