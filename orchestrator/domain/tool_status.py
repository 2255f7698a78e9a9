"""What the status commands of common tools print: a migration status without a program of one's own.

Django: `manage.py showmigrations --plan`, or without `--plan`. Alembic: `alembic history --indicate-current`. The
formats are those of django/core/management/commands/showmigrations.py and of alembic.script.Script.cmd_format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from orchestrator.domain.schema_report import Report

MOST_LINES = 20_000
_DJANGO = re.compile(r"( ?)\[([ X])\]\s+([^\s()]+)(?: .*)?")
_DJANGO_APP = re.compile(r"\w+")
_ALEMBIC = re.compile(r"(?P<before>[^\s].*?) -> (?P<revision>[^\s,()]+)(?P<marks>(?: \([a-z ]+\))*)(?:, (?P<says>.*))?")
_BASE = "<base>"


@dataclass
class ToolStatus:
    """Reads the output of a status command line by line. `reports` are what it says, the oldest first.

    Empty for an output in none of these formats.
    """

    _django: list[Report] = field(default_factory=list)
    _last: dict[str, str] = field(default_factory=dict)
    """The last revision of each app of Django."""
    _app: str = ""
    _alembic: list[tuple[Report, bool]] = field(default_factory=list)
    """With whether the data is at this revision; the newest first."""

    def line(self, text: str) -> None:
        if len(self._django) + len(self._alembic) >= MOST_LINES:
            return
        text = text.rstrip()
        if found := _DJANGO.fullmatch(text):
            self._add_of_django(found, self._app if found[1] else "")
        elif _DJANGO_APP.fullmatch(text):
            self._app = text
        elif found := _ALEMBIC.fullmatch(text):
            previous = found["before"].removeprefix("Rev: ")
            previous = "base" if previous == _BASE else previous
            report = Report(found["revision"], previous, says=found["says"] or "")
            self._alembic.append((report, "(current)" in found["marks"]))

    @property
    def reports(self) -> tuple[Report, ...]:
        if self._django:
            return tuple(self._django)
        is_applied, found = False, []
        for report, is_current in self._alembic:
            is_applied = is_applied or is_current
            found.append(Report(report.revision, report.previous, says=report.says, applied=is_applied))
        return tuple(reversed(found))

    def _add_of_django(self, found: re.Match[str], app: str) -> None:
        revision = f"{app}.{found[3]}" if app else found[3]
        of_app = revision.partition(".")[0]
        self._django.append(Report(revision, self._last.get(of_app, "base"), applied=found[2] == "X"))
        self._last[of_app] = revision
