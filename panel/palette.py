"""What the command palette has beside Textual's own commands: every key that does something on the screen below."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.screen import Screen

LEFT_OUT = frozenset({"quit", "command_palette", "help", "help_quit"})
"""What Textual has in the palette by itself."""

PALETTE = Binding("ctrl+p", "command_palette", "Palette", tooltip="Open the command palette: keys, theme, screenshot")
"""Textual adds it to every app."""


def key_commands(app: App[Any], screen: Screen[Any]) -> Iterable[SystemCommand]:
    """A command for each key that is valid on `screen` now, with the key in its name."""
    known: set[str] = set()
    for _node, binding, enabled, tooltip in screen.active_bindings.values():
        name = binding.action.removeprefix("app.")
        if not enabled or name in LEFT_OUT or name in known or not (tooltip or binding.tooltip):
            continue
        known.add(name)
        title = f"{binding.description} ({app.get_key_display(binding)})"
        yield SystemCommand(title, tooltip or binding.tooltip, partial(app.simulate_key, binding.key))
