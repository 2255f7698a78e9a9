"""What is wrong with the values of a request, in sentences for people instead of the words of the validator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.api.values import FORMS

REMEDY = "Use a value of this form; /openapi.json has the form of each."
_BY_KIND = {
    "missing": "it is missing",
    "extra_forbidden": "no such field is known",
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be {ge} or more",
    "less_than": "it must be less than {lt}",
    "less_than_equal": "it must be {le} or less",
    "finite_number": "it must be a number",
    "string_too_long": "it must have at most {max_length} characters",
    "string_too_short": "it must have at least {min_length} characters",
    "too_long": "it must have at most {max_length} entries",
    "too_short": "it must have at least {min_length} entries",
}
"""By pydantic's names of errors: https://docs.pydantic.dev/latest/errors/validation_errors/"""


def sentence(error: Mapping[str, Any]) -> str:  # Any: as pydantic gives it
    """Names the value, and says what it must be. The value is not repeated: JSON cannot have each one."""
    return f"Invalid value for {_name(error['loc'])}: {_why(error)}."


def _why(error: Mapping[str, Any]) -> str:  # Any: as above
    context = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        form = FORMS.get(context["pattern"])
        return f"it must be {form}" if form else "it has characters that it may not have, or not the right form"
    if known := _BY_KIND.get(error["type"]):
        return known.format(**context)
    says = str(error["msg"]).removeprefix("Value error, ")
    for subject in ("Input", "String", "List", "Value"):
        says = says.replace(f"{subject} should", "it must", 1)
    return says.rstrip(".")


def _name(location: Sequence[object]) -> str:
    return ".".join(str(part) for part in location[1:])[:100].removesuffix("_id") or "the body"
