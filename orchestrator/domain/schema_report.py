"""How an app reports schema revisions: lines of its migrate and status commands, and a container's label.

A line is `changeover: ` and a JSON object with `revision` and, optionally, `previous`, `compatible` and `says`.
One line for each schema revision, the oldest first. With `"applied": true`, a line of the status command names one that
the data has already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from orchestrator.domain.invalid_values import why_invalid
from orchestrator.domain.schema_history import SchemaRevision

PREFIX = "changeover:"
EXAMPLE = 'changeover: {"revision": "0002", "previous": "0001", "compatible": true}'
MOST_SHOWN = 200
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
    return is_report(line) or late_report(line) is not None


def late_report(line: str) -> Report | None:
    """The report in a line that begins with other text, such as a logger's prefix or what was printed without an end of
    line. It is no report, and whoever printed it takes it for one. None for any other line."""
    before, found, rest = line.partition(PREFIX)
    if not (before and found):
        return None
    try:
        said, _ = json.JSONDecoder().raw_decode(rest.lstrip())
        return _REPORT.validate_python(said, extra="forbid")
    except (ValueError, RecursionError):
        return None


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
