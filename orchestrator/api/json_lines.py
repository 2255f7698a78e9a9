"""Answers that are streams of JSON, one value a line. The status is sent before it is known how they end."""

from __future__ import annotations

import json
from typing import Any

from border.secrets import Secrets
from orchestrator.errors import ChangeoverError

MEDIA_TYPE = "application/x-ndjson"


def problem_value(error: ChangeoverError) -> dict[str, Any]:  # Any: JSON
    """The last value of a stream that an error has ended."""
    return {"problem": {"kind": type(error).__name__, "detail": error.cause, "remedy": error.remedy}}


def shown(known_secrets: Secrets, value: dict[str, Any]) -> str:  # Any: JSON
    """As every answer, without control characters and secrets."""
    return as_line(known_secrets.values(value))


def as_line(value: dict[str, Any]) -> str:  # Any: JSON
    return json.dumps(value) + "\n"
