"""Which lines of a command's output must be heard, however much it prints."""

from __future__ import annotations

from orchestrator.domain.schema_report import may_report
from orchestrator.domain.tool_status import may_be_status
from orchestrator.domain.unread_status import unread_tool


def must_be_heard(line: str) -> bool:
    """Whether a line reports a migration, or may name one in a status of a tool."""
    return may_report(line) or may_be_status(line) or bool(unread_tool(line))
