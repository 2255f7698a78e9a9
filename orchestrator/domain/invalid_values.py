"""What is wrong with a value that a model does not take, in words for people instead of those of the validator."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from orchestrator.domain.counted import counted

NONE: Mapping[str, str] = MappingProxyType({})
_BY_KIND = {
    "missing": "it is missing",
    "extra_forbidden": "no such field is known",
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be {ge} or more",
    "less_than": "it must be less than {lt}",
    "less_than_equal": "it must be {le} or less",
    "finite_number": "it must be a number",
    "model_type": "it must be an object, {{…}}",
    "model_attributes_type": "it must be an object, {{…}}",
    "string_type": "it must be a text",
    "tuple_type": "it must be a list",
    "list_type": "it must be a list",
    "int_type": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "bool_type": "it must be true or false",
    "datetime_type": "it must be a date with time, such as 2026-11-26T10:00:00Z",
    "datetime_parsing": "it must be a date with time, such as 2026-11-26T10:00:00Z",
    "datetime_from_date_parsing": "it must be a date with time, such as 2026-11-26T10:00:00Z",
    "timezone_aware": "it must end with its time zone, such as Z or +01:00",
}
"""By pydantic's names of errors: https://docs.pydantic.dev/latest/errors/validation_errors/"""
_OF_LENGTH = {
    "string_too_long": "character",
    "string_too_short": "character",
    "too_long": "value",
    "too_short": "value",
}


def why_invalid(error: Mapping[str, Any], forms: Mapping[str, str] = NONE) -> str:  # Any: as pydantic gives it
    """The end of a sentence about the value, which is not repeated. `forms`: by a pattern, what it means."""
    context = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        form = forms.get(context["pattern"])
        return f"it must be {form}" if form else "it has characters that it may not have, or not the right form"
    if noun := _OF_LENGTH.get(error["type"]):
        if "max_length" in context:
            return f"it must have at most {counted(context['max_length'], noun)}"
        return f"it must have at least {counted(context['min_length'], noun)}"
    if known := _BY_KIND.get(error["type"]):
        return known.format(**context)
    says = str(error["msg"]).removeprefix("Value error, ")
    for subject in ("Input", "String", "List", "Tuple", "Value"):
        says = says.replace(f"{subject} should", "it must", 1)
    return says.rstrip(".")
