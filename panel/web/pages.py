"""The two pages, sign-in and terminal. They load no files from other hosts."""

from __future__ import annotations

import html
from datetime import UTC
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
    return page.replace("{who}", _who(session) if session else "")


def _who(session: Session) -> str:
    """HTML. A script of the page writes the moment in the zone of the browser's person."""
    apps = "" if session.apps is None else f", for {', '.join(session.apps)}"
    says = html.escape(f"Signed in with token {session.token} ({session.scope}{apps})")
    if session.expires_at is None:
        return says
    at = session.expires_at.astimezone(UTC)
    return f'{says}, until <time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%Y-%m-%d %H:%M} UTC</time>'
