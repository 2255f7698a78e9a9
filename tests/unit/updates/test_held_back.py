"""Why the newest release of a source is not offered: what is said is what became of it."""

from __future__ import annotations

import pytest

from orchestrator.domain.deployment import State
from orchestrator.domain.release import Release
from orchestrator.domain.release_history import Attempt
from orchestrator.updates.held_back import why_held_back

RELEASE = Release("v2", "b" * 40, "sha256:b")
REPLACED = "v2 was live before; another release was made live after it."
ROLLED_BACK = "v2 was live before; it was rolled back."


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ([State.LIVE], REPLACED),
        ([State.ROLLED_BACK], ROLLED_BACK),
        ([State.ROLLED_BACK, State.LIVE], REPLACED),
        ([State.LIVE, State.ROLLED_BACK], ROLLED_BACK),
    ],
)
def test_a_release_that_was_rolled_back_is_not_said_to_be_replaced(states: list[State], says: str) -> None:
    attempts = [
        Attempt(number, f"d{number}", "", RELEASE, state, was_live=True) for number, state in enumerate(states, 1)
    ]

    held = why_held_back("shop", RELEASE, reversed(attempts))

    assert held is not None
    assert held.says == says
