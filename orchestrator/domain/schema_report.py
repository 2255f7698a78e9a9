"""How an app reports schema revisions: lines of its migrate and status commands, and a container's label.

A line is `changeover: ` and a JSON object with `revision` and, optionally, `previous`, `compatible` and `says`.
One line for each schema revision, the oldest first. With `"applied": true`, a line of the status command names one that
the data has already.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from orchestrator.domain.invalid_values import why_invalid
from orchestrator.domain.schema_history import SchemaRevision

PREFIX = "changeover:"
EXAMPLE = 'changeover: {"revision": "0002", "previous": "0001", "compatible": true}'
MOST_SHOWN = 200
_LIKE_PREFIX = re.compile(r"""changeover[\\"']*\s*:""", re.IGNORECASE)
_OBJECT = re.compile(r"""[\s\\"'\[]*\{""")
_NAMED = re.compile(r"""\brevision[\\"']*\s*(?::|=>?)\s*[\\"']*([^\s\\"',}]+)""")
_APPLIED = re.compile(r"""\bapplied[\\"']*\s*(?::|=>?)\s*[Tt]rue""")
"""As JSON, as JSON within JSON, or as a dictionary of a programming language is printed."""
_PLACEHOLDER = re.compile(r"[%${}<]")
"""In a revision: the line is of a program that prints reports, as a shell shows it with `set -x`."""
_REVISIONS = TypeAdapter(tuple[SchemaRevision, ...])


@dataclass(frozen=True)
class Report(SchemaRevision):
    """A schema revision in a report. `applied`: the data has it already."""

    applied: bool = False

    @property
    def revision_alone(self) -> SchemaRevision:
        return SchemaRevision(self.revision, self.previous, self.compatible, self.says)


_REPORT = TypeAdapter(Report)


class NotAReport(ValueError):
    """A line begins with the prefix of a report but is not valid. The message names the key and the error."""


def is_report(line: str) -> bool:
    """Whether a line of output claims to be a report."""
    return line.startswith(PREFIX)


def may_report(line: str) -> bool:
    """Whether a line of output must be heard, however much is printed: a report, also behind other text."""
    return is_report(line) or bool(late_reports(line))


@dataclass(frozen=True)
class LateReport:
    """A report in a line that begins with other text, such as a logger's prefix or what was printed without an end of
    line; or what is meant as one, such as the text of a JSON logger. `revision` is empty if the line does not name it,
    `whole` None if it cannot be read."""

    revision: str
    applied: bool = False
    whole: Report | None = None


def late_reports(line: str) -> tuple[LateReport, ...]:
    """The reports behind other text in a line: whoever printed them takes them for reports."""
    if "changeover" not in line.lower():
        return ()
    return tuple(late for after in _LIKE_PREFIX.split(line)[1:] if (late := _late_report(after)))


def _late_report(after: str) -> LateReport | None:
    """The report that stands after the prefix, read as leniently as it can be; None if it is not meant as one."""
    if not (begins := _OBJECT.match(after)):
        return None
    try:
        said, _ = json.JSONDecoder().raw_decode(after.lstrip())
        whole = _REPORT.validate_python(said, extra="forbid")
    except (ValueError, RecursionError):
        whole = None
    named = _NAMED.search(after)
    if named is None:
        is_spread = begins.end() == len(after.rstrip())
        return LateReport("") if is_spread else None
    if _PLACEHOLDER.search(named[1]):
        return None
    return (
        LateReport(whole.revision, whole.applied, whole)
        if whole
        else LateReport(named[1], bool(_APPLIED.search(after)))
    )


def reported(line: str) -> SchemaRevision | None:
    """The pending or newly applied revision that a line of output reports; None for any other line. Raises NotAReport.

    A status command may also report the revisions that the data has, with `"applied": true`; see `report`.
    """
    found = report(line)
    return found.revision_alone if found and not found.applied else None


def report(line: str) -> Report | None:
    """What a line of output reports; None for a line that is no report. Raises NotAReport."""
    if not is_report(line):
        return None
    try:
        return _REPORT.validate_json(line.removeprefix(PREFIX), extra="forbid")
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the line"
        raise NotAReport(f"'{line[:MOST_SHOWN]}': {where}: {why_invalid(problem)}") from error


def as_json(revisions: Iterable[SchemaRevision]) -> str:
    """For a container's label; `from_json` reads it."""
    return _REVISIONS.dump_json(tuple(revisions)).decode()


def from_json(text: str) -> tuple[SchemaRevision, ...]:
    """The schema revisions that `as_json` wrote. Raises ValueError for any other text."""
    return _REVISIONS.validate_json(text)
