"""`since` and `until` of a log: how long ago, or a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.config.durations import seconds
from orchestrator.domain.log_line import moment_text

EXPECTED = (
    "it must be a duration such as 90s, 10m or 1h30m, or a time such as 2026-11-28T10:00:00Z (UTC without a zone)"
)


def moment(text: str, now: datetime) -> str:
    """The moment in the form of LogLine's `at`; empty for an empty text. Raises ValueError.

    In a request, `+` of a zone may have become a blank: it is taken for what it was.
    """
    if not text:
        return ""
    try:
        ago = seconds(text)
        if isinstance(ago, int | float):
            return moment_text(now - timedelta(seconds=ago))
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(EXPECTED) from error
    return moment_text(found)
