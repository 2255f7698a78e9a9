"""Help: what can be typed."""

from __future__ import annotations

from panel.console.answer import Answer, columns
from panel.console.answers.asked import Asked
from panel.console.command import Command
from panel.console.commands import CHANGING, LOOKING, NAMED
from panel.console.understood import Understood, read

KEYS = "Tab completes, ↑ ↓ go through what was typed, Ctrl+R searches in it, Esc closes the console and keeps the line."


async def explained(asked: Asked) -> Answer:
    """Of one command, if the words after `help` are one, or mean one; otherwise of all of them."""
    about = asked.meant.values.get("text", "")
    command = NAMED.get(about) or _meant(about, asked)
    return Answer(_one(command), command.command_line({})) if command else Answer(_all(), asked.command_line())


def _meant(about: str, asked: Asked) -> Command | None:
    found = read(about, ("shop", "app"), asked.now, "shop")
    if not isinstance(found, Understood):
        found = read(f"{about} shop", ("shop", "app"), asked.now, "shop")
    return found.command if isinstance(found, Understood) and found.command.name != "help" else None


def _one(command: Command) -> str:
    asks = "It asks before anything is done. " if command.changes else ""
    return f"{command.says}.\n  {command.example}\n{asks}It needs a token with scope {command.scope}."


def _all() -> str:
    lines = [columns([(one.example, one.says) for one in LOOKING])]
    lines += ["These ask before anything is done:"]
    lines += [columns([(one.example, one.says, f"scope {one.scope}") for one in CHANGING])]
    return "\n".join([*lines, "Other words work as well: 'update shop', 'is shop ok', 'what went wrong'.", KEYS])
