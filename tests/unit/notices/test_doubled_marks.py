"""What Apprise says of a failure is one sentence."""

from __future__ import annotations

import pytest

from orchestrator.notices.deliver import without_doubled_marks


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Failed: Internal Server Error., error=500.", "Failed: Internal Server Error, error=500."),
        ("Failed..", "Failed."),
        ("host 10.0.0.1, port 3", "host 10.0.0.1, port 3"),
        ("One. Two.", "One. Two."),
    ],
)
def test_a_full_stop_within_a_sentence_is_left_out(said: str, shown: str) -> None:
    assert without_doubled_marks(said) == shown
