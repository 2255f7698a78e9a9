"""Why the newest release is not offered, in words."""

from __future__ import annotations

from panel.client.model import App


def held_back_in_words(app: App) -> str:
    """Empty if none is held back."""
    held = app.held_back
    return f"No update of {app.name} is offered: {held.says} {held.remedy}" if held else ""
