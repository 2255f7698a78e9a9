"""What is wrong with the values of a request, in sentences for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.api.values import FORMS
from orchestrator.domain.invalid_values import why_invalid

REMEDY = "Use a value of this form; /openapi.json has the form of each."


def sentence(error: Mapping[str, Any]) -> str:  # Any: as pydantic gives it
    """Names the value, and says what it must be. The value is not repeated: JSON cannot have each one."""
    return f"Invalid value for {_name(error['loc'])}: {why_invalid(error, FORMS)}."


def _name(location: Sequence[object]) -> str:
    return ".".join(str(part) for part in location[1:])[:100].removesuffix("_id") or "the body"
