"""The two pages, sign-in and terminal. They load no files from other hosts."""

from __future__ import annotations

import html
from pathlib import Path

from panel.client.access_model import Session

HERE = Path(__file__).parent
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def sign_in(problem: str = "", note: str = "") -> str:
    page = (HERE / "sign_in.html").read_text(encoding="utf-8")
    return page.replace("{problem}", html.escape(problem)).replace("{note}", html.escape(note))


def terminal(session: Session | None = None) -> str:
    """The page with the terminal, and who is signed in; None while that is not known."""
    page = (HERE / "terminal.html").read_text(encoding="utf-8")
    return page.replace("{who}", html.escape(_who(session)) if session else "")


def _who(session: Session) -> str:
    apps = "" if session.apps is None else f", for {', '.join(session.apps)}"
    until = f", until {session.expires_at:%Y-%m-%d %H:%M} UTC" if session.expires_at else ""
    return f"Signed in with token {session.token} ({session.scope}{apps}){until}"
