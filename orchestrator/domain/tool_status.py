"""What the status commands of common tools print: a migration status without a program of one's own.

Django: `manage.py showmigrations --plan`, or without `--plan`, in the formats of
django/core/management/commands/showmigrations.py. Alembic: see `alembic_history`. Of others that print such a list
(Diesel's `migration list`, TypeORM's `migration:show`, dbmate's `status`), the marks and names are the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from orchestrator.domain.alembic_history import AlembicHistory, is_of_a_history
from orchestrator.domain.schema_report import Report

MOST_LINES = 20_000
_DJANGO = re.compile(r"( {0,2})\[([ X-])\]\s+(?:\d+ (?=\w))?([^\s()]+)(?: .*)?")
"""`[-]`: a squashed migration whose parts are all applied; only its name is not recorded yet. TypeORM prints a number
before the name of what is applied."""
_DJANGO_APP = re.compile(r"\w+")


def may_be_status(line: str) -> bool:
    """Whether a line of output must be heard, however much is printed: it may name a migration."""
    if not (line.startswith((" [", "  [", "[", "Rev: ")) or " -> " in line):
        return False  # in a hundredth of the time: millions of lines may be asked for
    return bool(_DJANGO.fullmatch(text := line.rstrip())) or is_of_a_history(text)


@dataclass
class ToolStatus:
    """Reads the output of a status command line by line. `reports` are what it says, the oldest first.

    Empty for an output in none of these formats.
    """

    _django: list[Report] = field(default_factory=list)
    _last: dict[str, str] = field(default_factory=dict)
    """The last revision of each app of Django."""
    _app: str = ""
    _alembic: AlembicHistory = field(default_factory=AlembicHistory)

    def line(self, text: str) -> None:
        if len(self._django) + len(self._alembic) >= MOST_LINES:
            return
        text = text.rstrip()
        if found := _DJANGO.fullmatch(text):
            self._add_of_django(found, self._app if found[1] == " " else "")
        elif _DJANGO_APP.fullmatch(text):
            self._app = text
        else:
            self._alembic.line(text)

    @property
    def reports(self) -> tuple[Report, ...]:
        return tuple(self._django) or self._alembic.reports

    def _add_of_django(self, found: re.Match[str], app: str) -> None:
        revision = f"{app}.{found[3]}" if app else found[3]
        label, dot, _ = revision.partition(".")
        of_app = label if dot and label.isidentifier() else ""
        self._django.append(Report(revision, self._last.get(of_app, "base"), applied=found[2] != " "))
        self._last[of_app] = revision
