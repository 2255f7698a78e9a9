"""The last lines of a container's log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from border.secrets import Secrets
from orchestrator.engine.docker.log import last_lines


def log(*lines: str) -> Any:  # Any: the part of a container that is used
    return SimpleNamespace(logs=lambda **_options: iter([f"{line}\n".encode() for line in lines]))


def test_an_answer_of_long_lines_has_a_limit_and_says_what_is_left_out() -> None:
    """A log of 30 MB was an answer of 30 MB, as often as a token that may only read asked for it at once."""
    written = [f"{number} {'x' * 3990}" for number in range(3000)]

    left_out, *kept = last_lines(log(*written), 10_000, Secrets())

    assert sum(map(len, kept)) <= 4 * 2**20
    assert kept == written[-len(kept) :]
    assert left_out == f"[{3000 - len(kept)} lines before this left out: an answer has 4 MB]"


def test_short_lines_are_given_as_they_were_asked_for() -> None:
    written = [f"line {number}" for number in range(20)]

    assert last_lines(log(*written), 5, Secrets()) == tuple(written[-5:])
    assert last_lines(log(*written), 100, Secrets()) == tuple(written)
