"""Whether a screen can be changed: its widgets come a moment after it, and go a moment before it."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen


def is_whole(screen: Screen[Any]) -> bool:
    """Whether the screen has its widgets. It may be closed, or the panel end, at each `await`."""
    if not screen.is_attached or not screen.app.is_running:
        return False
    return screen.is_mounted and screen in screen.app.screen_stack
