"""What an app answered, as a part of a sentence: one line, without markup, of limited length."""

from __future__ import annotations

import html
import re

from border.plain import one_line
from border.secrets import Secrets

MOST_CHARACTERS = 300
MOST_READ = 64 * 1024
"""So much of an answer is looked at."""

# What is repeated in them is bounded, or goes on to the end of the answer once: an app decides what its answers have.
_INVISIBLE = re.compile(r"(?is)<(script|style|head|template|svg)\b[^<>]{0,2000}>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)")
_TITLE = re.compile(r"(?i)<title\b[^<>]{0,2000}>([^<]{0,2000})</title\s*>")
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]{0,2000}>")


def said(text: str, known_secrets: Secrets) -> str:
    """The answer's text in one line, without a last full stop. Of an HTML page: its title, then its text."""
    text = text[:MOST_READ]
    if _TAG.search(text):
        title = _TITLE.search(text)
        visible = _TAG.sub(" ", _INVISIBLE.sub(" ", text))
        text = html.unescape(_with_title(title[1], visible) if title else visible)
    text = one_line(known_secrets.text(text)).rstrip(":.")
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS].rstrip()} (shortened)"


def _with_title(title: str, visible: str) -> str:
    """Many pages repeat their title as their first heading."""
    return visible if one_line(visible).startswith(one_line(title)) else f"{title}: {visible}"
