"""The base of every section of the configuration, and the annotations of its keys: unit, and "no effect yet".

The string under each field is the meaning of the key. It ends with `Example: VALUE`. tools/configuration-page writes
docs/configuration.md from these strings and annotations; a key that lacks meaning, example or unit fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from orchestrator.config.durations import seconds


class Section(BaseModel):
    """A section of the file. Unknown keys are refused; values are not changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Unit:
    """The unit of a value, or the kind of a text."""

    name: str


@dataclass(frozen=True)
class NoEffectYet:
    """Marks a key or a whole section that is accepted and does nothing. A file that sets it loads with a notice."""

    why: str


Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0, allow_inf_nan=False), Unit("seconds or 90s, 10m, 1h")]
SecondsOrNone = Annotated[
    float, BeforeValidator(seconds), Field(ge=0, allow_inf_nan=False), Unit("seconds or 90s, 10m, 1h")
]
WholeSecondsOrNone = Annotated[int, BeforeValidator(seconds), Field(ge=0), Unit("seconds or 90s, 10m, 1h")]
Megabytes = Annotated[int, Field(ge=0), Unit("MiB")]
