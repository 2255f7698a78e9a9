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
class ReadFile:
    """Marks a key that names a file beside the configuration file, with one text in it. `is_secret`: its content is
    never shown, and git must not commit it. `at_least`: so many characters it must have, not to be guessed.
    config/named_files.py finds these keys."""

    is_secret: bool = True
    at_least: int = 0


@dataclass(frozen=True)
class AskedServer:
    """Marks a key that names a server that the orchestrator asks, as a URL or otherwise. config/own_address.py finds
    these keys."""


@dataclass(frozen=True)
class NoEffectYet:
    """Marks a key or a whole section that is accepted and does nothing. A file that sets it loads with a notice."""

    why: str


SECONDS = "seconds or 90s, 10m, 1h"
LONGEST_S = 366 * 86400
"""Timers of threads and dates cannot have every number."""
LONGEST_STOP_S = 2_000_000
"""A socket waits for the container's end, and counts milliseconds in 31 bits."""
MOST = 1_000_000
"""The largest number of things of which nobody needs so many. Databases, HAProxy and the kernel have limits, too."""

Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=LONGEST_S), Unit(SECONDS)]
SecondsOrNone = Annotated[float, BeforeValidator(seconds), Field(ge=0, le=LONGEST_S), Unit(SECONDS)]
WholeSecondsOrNone = Annotated[int, BeforeValidator(seconds), Field(ge=0, le=LONGEST_STOP_S), Unit(SECONDS)]
Megabytes = Annotated[int, Field(ge=0, le=2**30), Unit("MiB")]
