"""The two pages, sign-in and terminal. They load no files from other hosts."""

from __future__ import annotations

import html
from pathlib import Path

HERE = Path(__file__).parent
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def sign_in(problem: str = "") -> str:
    page = (HERE / "sign_in.html").read_text(encoding="utf-8")
    return page.replace("{problem}", html.escape(problem))


def terminal() -> str:
    return (HERE / "terminal.html").read_text(encoding="utf-8")
