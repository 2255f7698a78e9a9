"""Why the newest release is not offered, in words."""

from __future__ import annotations

from panel.client.model import App


def no_update_in_words(app: App) -> str:
    """Why none is offered, or that there is none."""
    version = app.active.version if app.active else "not deployed"
    return held_back_in_words(app) or f"{app.name} is up to date ({version})."


def held_back_in_words(app: App) -> str:
    """Empty if none is held back."""
    held = app.held_back
    return f"No update of {app.name} is offered: {held.says} {held.remedy}" if held else ""
