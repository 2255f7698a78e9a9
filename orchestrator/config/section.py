"""What every section of the configuration has in common, and what stands beside a key for people: its unit.

The string under each field is the key's meaning. It ends with `Example: VALUE`, and docs/configuration.md is made from
it by tools/configuration-page. A key without a meaning, an example, or a unit where its value is a number fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the file: unknown keys are refused, values are never changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


@dataclass(frozen=True)
class Unit:
    """What a value is measured in, or what kind of text it is."""

    name: str


@dataclass(frozen=True)
class NoEffectYet:
    """Marks a key, or a whole section, that is accepted and does nothing. Whoever writes it is told why."""

    why: str


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), Unit("seconds")]
SecondsOrNone = Annotated[float, Field(ge=0, allow_inf_nan=False), Unit("seconds")]
Megabytes = Annotated[int, Field(ge=0), Unit("MiB")]
