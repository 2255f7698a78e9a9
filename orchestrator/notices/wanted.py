"""Of which updates people are told."""

from __future__ import annotations

from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.domain.update_events import FoundBy


def is_wanted(policy: UpdatePolicy, found_by: str) -> bool:
    """Whether people are told of an update that such a check found."""
    in_background = found_by == FoundBy.BACKGROUND
    return policy.notify_on_update and (policy.background_check.notify or not in_background)
