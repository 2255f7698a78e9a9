"""What becomes of the standby in a deployment."""

from __future__ import annotations

from panel.client.events import StandbyCrashed, StandbyStays
from panel.text.markup import inline


def standby_stays_in_words(stays: StandbyStays) -> str:
    """Markup: which release stays the goal of a rollback, and why."""
    return inline(f"{stays.version} stays the standby instead of {stays.instead_of}: {stays.cause}")


def standby_crashed_in_words(crashed: StandbyCrashed) -> str:
    """Markup: that the goal of a rollback crashed when it was live."""
    return inline(f"{crashed.version} is the standby, and crashed when it was live: {crashed.cause}")
