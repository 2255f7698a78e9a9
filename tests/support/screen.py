"""What a Textual app shows, as text."""

from __future__ import annotations

from typing import Any

from textual._compositor import InlineUpdate
from textual.pilot import Pilot


def shown(pilot: Pilot[Any]) -> str:
    """The text of the screen, line by line.

    Drawn as the app draws it, with the screens behind a dialog: what is drawn without them stays in the cache of the
    dialog, and the next picture of it has an empty background.
    """
    screen = pilot.app.screen
    drawn = screen._compositor.render_inline(screen.size, screen_stack=pilot.app._background_screens)
    assert isinstance(drawn, InlineUpdate)
    return "\n".join(strip.text for strip in drawn.strips)
