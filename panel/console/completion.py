"""What a line may go on as: the commands with the names of apps, and with versions where these are known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from panel.console.commands import COMMANDS

MOST = 8
_VERSION = re.compile(r"\bv1\.[0-9]\b")
_TAKES_VERSION = re.compile(r"^(?:deploy|update|skip) +(?P<app>[^ ]+) ")


def completions(
    typed: str, apps: Sequence[str], versions: Mapping[str, Sequence[str]], selected: str = ""
) -> tuple[str, ...]:
    """Whole lines that begin as `typed`, without it, at most MOST. The app under the cursor comes first."""
    if not typed.strip():
        return ()
    begins = typed.lower()
    found: dict[str, None] = {}
    named = sorted(apps, key=lambda name: name != selected)
    for line in [*_with_versions(named, versions), *_lines(named)]:
        if line.lower().startswith(begins) and line.lower() != begins:
            found[line] = None
        if len(found) == MOST:
            break
    return tuple(found)


def asks_versions_of(typed: str, apps: Sequence[str]) -> str:
    """The app whose versions are of use for what is typed; empty if none are."""
    found = _TAKES_VERSION.match(typed.lower())
    return next((app for app in apps if found and app.lower() == found["app"]), "")


def _lines(apps: Sequence[str]) -> list[str]:
    """Each command's example about each app. A value that is only an example is left out, with its end of the line."""
    lines = []
    for command in COMMANDS:
        if "shop" not in command.example:
            lines.append(command.example)
            continue
        shown = command.example.removesuffix(" v1.2").partition(" from ")[0]
        if not _VERSION.search(shown):
            lines += [shown.replace("shop", app) for app in apps]
    return lines


def _with_versions(apps: Sequence[str], versions: Mapping[str, Sequence[str]]) -> list[str]:
    return [
        f"{word} {app} {version}" for word in ("deploy", "skip") for app in apps for version in versions.get(app, ())
    ]
