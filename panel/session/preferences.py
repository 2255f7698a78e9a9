"""What a person prefers: how the panel looks, how it writes times, and whether it shows notices."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

DARK, LIGHT, NO_COLOUR = "textual-dark", "textual-light", "no-colour"
"""The names of themes. The palette has more of them."""


class Density(StrEnum):
    COMFORTABLE = "comfortable"
    COMPACT = "compact"


class Hours(StrEnum):
    """How the hours of a day are counted."""

    TO_24 = "24 h"
    TO_12 = "12 h"


class Preferences(BaseModel):
    """A value that another release has saved, and this one does not know, is as in a new session.

    `notices`: whether updates and alerts are told by toasts, and the update at the start by a notice.
    """

    model_config = ConfigDict(frozen=True)

    theme: str = DARK
    density: Density = Density.COMFORTABLE
    hours: Hours = Hours.TO_24
    notices: bool = True

    @field_validator("*", mode="wrap")
    @classmethod
    def _known(cls, value: Any, validated: ValidatorFunctionWrapHandler, field: ValidationInfo) -> Any:
        # Any: whatever was saved
        try:
            return validated(value)
        except ValidationError:
            return cls.model_fields[str(field.field_name)].default
