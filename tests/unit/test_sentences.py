"""Sentences put together."""

from __future__ import annotations

import pytest

from orchestrator.domain.sentences import sentences


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (
            (
                "Make it: docker network create shop",
                "Its log: changeover show d1",
                "Deploy: changeover deploy shop",
            ),
            "Make it: docker network create shop. Its log: changeover show d1. Deploy: changeover deploy shop",
        ),
        (("Mount it.", "Then deploy again."), "Mount it. Then deploy again."),
        (("", "It is tried again."), "It is tried again."),
        (("Correct it", "  "), "Correct it"),
        ((), ""),
    ],
)
def test_a_sentence_that_ends_with_a_command_is_ended_before_the_next(parts: tuple[str, ...], says: str) -> None:
    """The tip read: docker network create database Its log and steps: changeover show 995193f5."""
    assert sentences(*parts) == says
