"""A page of docs/guides, read as a person reads it: files to write, commands to run, and what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FILE = re.compile(r"^`(?P<name>[\w./-]+)`[^\n]*:\n\n```\w*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"^```console\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
OUTSIDE = ("control-panel-config.yaml", "secrets/", "database/")
"""Files that are not of the app's repository."""


@dataclass(frozen=True)
class Step:
    """A command, and the line that its output contains."""

    command: tuple[str, ...]
    prints: str


@dataclass(frozen=True)
class Guide:
    """The files and steps of one page."""

    files: dict[str, str]
    steps: tuple[Step, ...]

    @property
    def configuration(self) -> str:
        return self.files["control-panel-config.yaml"]

    def repository(self) -> dict[str, str]:
        return {name: text for name, text in self.files.items() if not name.startswith(OUTSIDE)}

    def beside(self, folder: str) -> dict[str, str]:
        return {name: text for name, text in self.files.items() if name.startswith(f"{folder}/")}


def read(page: Path) -> Guide:
    text = page.read_text(encoding="utf-8")
    files = {match["name"]: match["text"] for match in _FILE.finditer(text)}
    lines = [line for match in _CONSOLE.finditer(text) for line in match["text"].splitlines()]
    steps: list[Step] = []
    for line in lines:
        if line.startswith("$ "):
            steps.append(Step(tuple(line.removeprefix("$ ").split()), ""))
        else:
            steps[-1] = Step(steps[-1].command, line)
    return Guide(files, tuple(steps))
