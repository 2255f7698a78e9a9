"""When a source is asked, and when an update installs itself: the decisions, by the configuration and the clock."""

from __future__ import annotations

from datetime import datetime

from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.domain.update_window import UpdateWindow

JITTER = 0.1
"""An interval is up to a tenth longer, so that apps that began together do not go on asking together."""


def next_check_in(policy: UpdatePolicy, chance: float) -> float | None:
    """The seconds until the next check in the background; None if there is none. `chance` is from 0 to 1.

    Never less than the interval: `fetch_interval` may be as long, and would refuse every second check.
    """
    check = policy.background_check
    return check.interval * (1 + JITTER * chance) if check.enabled else None


def may_ask(policy: UpdatePolicy, asked_before_s: float | None) -> bool:
    """Whether a check in the background may ask the source: not a remote that only people and pushes ask, nor one that
    was asked a short time ago."""
    git = policy.repository
    if git is None:
        return True
    is_fresh = asked_before_s is not None and asked_before_s < (git.fetch_interval or 0)
    return git.auto_fetch and not is_fresh


def opens_at(policy: UpdatePolicy, moment: datetime) -> datetime | None:
    """When updates install themselves again; None if they do now, or never do."""
    if not policy.auto_update or policy.window is None or policy.window.hours.is_open(moment):
        return None
    return policy.window.hours.next_opening(moment)


def waits_for(opening: datetime, hours: UpdateWindow) -> str:
    """That an update waits for its window, in words."""
    return f"It installs itself when its window opens (update.window): {opening:%a %Y-%m-%d %H:%M} {hours.zone.key}."
