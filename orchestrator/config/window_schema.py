"""The section `update.window`: when updates install themselves."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, field_validator

from orchestrator.config.section import Section, Unit
from orchestrator.domain.update_window import UpdateWindow

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _clock(value: object) -> str:
    """YAML reads 02:00 without quotation marks as a number of minutes."""
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError('expected a time of day in quotation marks, from "00:00" to "23:59", such as "02:00"')
    return value


TimeOfDay = Annotated[str, BeforeValidator(_clock), Unit("time of day")]


class Window(Section):
    """The hours in which `auto_update` deploys; at any hour when the section is not there. A person's deployment does
    not wait for them."""

    days: Annotated[tuple[Day, ...], Field(min_length=1), Unit("list of `mon` to `sun`")] = (
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
    )
    """The days on which the window begins. Example: [mon, tue, wed, thu]"""
    from_: TimeOfDay = Field(alias="from")
    """When it begins. Example: "02:00\""""
    to: TimeOfDay
    """When it ends; on the next day, if that is not after the beginning. Example: "05:00\""""
    timezone: Annotated[str, Unit("name")] = "UTC"
    """The time zone of these hours, by its name in the IANA database, with its changes of clocks. Example:
    Europe/Zurich"""

    @field_validator("timezone")
    @classmethod
    def _zone_is_known(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("expected the name of a time zone, such as Europe/Zurich or UTC")
        return value

    @property
    def hours(self) -> UpdateWindow:
        begins, ends = time.fromisoformat(self.from_), time.fromisoformat(self.to)
        return UpdateWindow(self.days, begins, ends, ZoneInfo(self.timezone))
