"""The last lines of a container's log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from border.secrets import Secrets
from orchestrator.domain.log_line import LogRange
from orchestrator.engine.base import LABEL_NAME, LABEL_STACK
from orchestrator.engine.docker.live_output import follow_log
from orchestrator.engine.docker.log import last_lines
from tests.support.fakes.container_log import frames, with_log


def log(*lines: str) -> Any:  # Any: the part of a container that is used
    return with_log(frames(*((1, f"{line}\n") for line in lines)))


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


async def test_a_secret_that_is_wrapped_over_two_lines_is_hidden_where_the_other_stream_speaks_in_between() -> None:
    secrets = Secrets()
    secrets.know(["correct-horse-battery-staple"])
    written = frames((1, "key correct-horse-\n"), (2, "a warning\n"), (1, "battery-staple end\n"))
    shown = ["a warning", "key [hidden]", "[hidden] end"]
    container = with_log(written, name="shop", labels={LABEL_STACK: "test", LABEL_NAME: "shop"})
    client = SimpleNamespace(containers=SimpleNamespace(get=lambda _name: container))

    assert list(last_lines(container, 10, secrets)) == shown
    following = follow_log("shop", "test", LogRange(10), secrets, lambda: client)
    assert [line.text async for line in following] == shown


def test_a_log_that_breaks_off_is_shown_as_far_as_it_came() -> None:
    whole = frames((1, "one\n"), (2, "two\n"))
    assert last_lines(with_log(whole[:-2]), 10, Secrets()) == ("one", "tw")
    assert last_lines(with_log(whole[:-6]), 10, Secrets()) == ("one",)
