"""What a command of an app says of schema revisions, read line by line while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.domain.schema_history import SchemaRevision
from orchestrator.domain.schema_report import EXAMPLE, MOST_SHOWN, NotAReport, late_report, report
from orchestrator.domain.tool_status import ToolStatus
from orchestrator.errors import StepFailed
from orchestrator.host.output import MOST_LINES, Note


@dataclass
class Reported:
    """The schema revisions that a command reports: those that the data has, and the others, which are pending or were
    just applied."""

    applied: list[SchemaRevision] = field(default_factory=list)
    others: list[SchemaRevision] = field(default_factory=list)
    _wrong: list[NotAReport] = field(default_factory=list)
    _late: dict[str, str] = field(default_factory=dict)
    """The lines with a report behind other text, by the revision that is not applied yet."""
    _tool: ToolStatus = field(default_factory=ToolStatus)
    _is_cut: bool = False
    """Whether lines of its output were left out; reports in our form are not."""

    def line(self, text: str) -> None:
        if isinstance(text, Note):
            self._is_cut = True
            return
        self._tool.line(text)
        try:
            found = report(text)
        except NotAReport as error:
            self._wrong.append(error)
            return
        if found:
            (self.applied if found.applied else self.others).append(found.revision_alone)
        elif (late := late_report(text)) and not late.applied:
            self._late[late.revision] = text

    def check(self) -> None:
        """Raises StepFailed if a report is not valid, or stands behind other text and nowhere else: whoever printed it
        takes it for one, and a release must not go live without its migration."""
        if self._wrong:
            raise StepFailed(
                f"The migration printed a report that is not valid: {self._wrong[0]}.",
                f"Print lines such as: {EXAMPLE}",
            )
        told = {one.revision for one in (*self.applied, *self.others)}
        if unheard := [line for revision, line in self._late.items() if revision not in told]:
            raise StepFailed(
                f"The migration printed a report behind other text: '{unheard[0][:MOST_SHOWN]}'.",
                f"Print it on a line of its own, without anything before it: {EXAMPLE}",
            )

    def of_a_tool(self, command: str) -> None:
        """If a status command reported nothing in our form, take what a common tool has printed. Raises StepFailed if
        lines of that may be missing."""
        if self.applied or self.others or not self._tool.reports:
            return
        if self._is_cut:
            raise StepFailed(
                f"The command '{command}' printed more than {MOST_LINES} lines, and migrations may be among those that "
                "were left out.",
                "Let it print less, such as without a log, or print reports: they are never left out.",
            )
        self.applied += [one.revision_alone for one in self._tool.reports if one.applied]
        self.others += [one.revision_alone for one in self._tool.reports if not one.applied]
