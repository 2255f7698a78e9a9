"""What a command of an app says of schema revisions, read line by line while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.domain.counted import counted
from orchestrator.domain.schema_history import SchemaRevision
from orchestrator.domain.schema_report import EXAMPLE, MOST_SHOWN, LateReport, NotAReport, late_reports, report
from orchestrator.domain.tool_status import ToolStatus
from orchestrator.domain.unread_status import names_none, unread_tool
from orchestrator.errors import StepFailed
from orchestrator.host.output import MOST_LINES, Note

_REPORTS = f"Let migrate.status print a line for each pending migration: {EXAMPLE}"
_OR_ITS_OWN = (
    "(The commands 'alembic history --indicate-current' and 'manage.py showmigrations --plan' are understood, too.)"
)


@dataclass
class Reported:
    """The schema revisions that a command reports: those that the data has, and the others, which are pending or were
    just applied."""

    applied: list[SchemaRevision] = field(default_factory=list)
    others: list[SchemaRevision] = field(default_factory=list)
    _wrong: list[NotAReport] = field(default_factory=list)
    _late: list[tuple[LateReport, str]] = field(default_factory=list)
    """The reports behind other text of what is not applied yet, with their lines."""
    _tool: ToolStatus = field(default_factory=ToolStatus)
    _unread: str = ""
    """A line of a status that is not understood, and whose it is."""
    _is_cut: bool = False
    """Whether lines of its output were left out."""
    _unheard: int = 0
    """Of these, so many had to be heard."""

    def line(self, text: str) -> None:
        if isinstance(text, Note):
            self._is_cut, self._unheard = True, text.unheard
            return
        self._tool.line(text)
        if not self._unread and (tool := unread_tool(text)):
            self._unread = f"a pending migration in the form of {tool}: '{text.strip()[:MOST_SHOWN]}'"
        try:
            found = report(text)
        except NotAReport as error:
            self._wrong.append(error)
            return
        if found:
            (self.applied if found.applied else self.others).append(found.revision_alone)
        else:
            self._late += [(late, text) for late in late_reports(text) if not late.applied]

    def check(self) -> None:
        """Raises StepFailed if a report is not valid, or stands behind other text and nowhere else: whoever printed it
        takes it for one, and a release must not go live without its migration."""
        if self._wrong:
            raise StepFailed(
                f"The migration printed a report that is not valid: {self._wrong[0]}.",
                f"Print lines such as: {EXAMPLE}",
            )
        told = {one.revision for one in (*self.applied, *self.others)}
        if behind := [line for late, line in self._late if late.revision not in told]:
            raise StepFailed(
                f"The migration printed a report behind other text: '{behind[0][:MOST_SHOWN]}'.",
                f"Print it on a line of its own, without anything before it: {EXAMPLE}",
            )

    def hear_late(self, planned: tuple[SchemaRevision, ...]) -> None:
        """Take the reports behind other text of a command that has succeeded as what it has applied: it cannot be
        asked again, and a failure would have to take back what it did. `planned` is known to be applied by it."""
        told = {one.revision for one in (*self.applied, *self.others)}
        for late, _ in self._late:
            whole = late.whole.revision_alone if late.whole else None
            if late.revision not in told and (heard := _named(late.revision, planned) or whole):
                self.others.append(heard)
                told.add(late.revision)

    def of_a_tool(self, command: str) -> None:
        """Of a status command: if it reported nothing in our form, take what a common tool has printed.

        Raises StepFailed if lines of that, or reports, may be missing, or if it is of a tool that is not understood.
        """
        if self._unheard:
            raise StepFailed(
                f"The command '{command}' printed so much that {counted(self._unheard, 'line')} that may report a "
                "migration had to be left out.",
                "Let it print less, such as without a log.",
            )
        if self.applied or self.others:
            return
        if names_none(command):
            raise StepFailed(f"The command '{command}' does not name pending migrations.", f"{_REPORTS} {_OR_ITS_OWN}")
        if not self._tool.reports:
            self._refuse_unread(command)
        elif self._is_cut:
            raise StepFailed(
                f"The command '{command}' printed more than {MOST_LINES} lines, and migrations may be among those that "
                "were left out.",
                f"Let it print less, such as without a log. {_REPORTS}",
            )
        self.applied += [one.revision_alone for one in self._tool.reports if one.applied]
        self.others += [one.revision_alone for one in self._tool.reports if not one.applied]

    def _refuse_unread(self, command: str) -> None:
        if self._unread:
            raise StepFailed(f"The command '{command}' printed {self._unread}. That is not understood.", _REPORTS)


def _named(revision: str, revisions: tuple[SchemaRevision, ...]) -> SchemaRevision | None:
    return next((one for one in revisions if one.revision == revision), None)
