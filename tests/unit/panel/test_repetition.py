"""Output says each thing once, and has no blanks that nobody reads."""

from __future__ import annotations

import pytest

from panel.client.model import Deployment
from panel.text.outcome import outcome
from panel.text.repetition import without_repetition
from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi

PROBES = [f'127.0.0.1 - - [26/Nov/2026 12:30:{second:02}] "GET /health HTTP/1.1" 500 -' for second in range(50)]


def test_a_line_without_an_end_takes_no_time() -> None:
    """An app decides what its log looks like: 200 lines as this one took a minute, and the panel showed nothing."""
    log = ["a" * 100_000] * 3

    assert without_repetition(log) == log


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([], []),
        (["a", "b", "a", "b"], ["a", "b", "a", "b"]),
        (["a"] * 3, ["a"] * 3),
        (["first", *PROBES, "last"], ["first", PROBES[0], "[48 lines like these left out]", PROBES[-1], "last"]),
        (["GET", "trouble"] * 6, ["GET", "trouble", "[8 lines like these left out]", "GET", "trouble"]),
        (["id 0af3", "id 99b1", "id c0de1", "id 7"], ["id 0af3", "[2 lines like these left out]", "id 7"]),
    ],
)
def test_a_block_that_is_repeated_is_shown_twice_and_counted(lines: list[str], shown: list[str]) -> None:
    assert without_repetition(lines) == shown


def test_a_failure_has_its_log_without_repetition_and_not_what_was_printed_already() -> None:
    failed = answers.failed()
    failed["failure"] = failed["failure"] | {"log": ["begins", *PROBES], "undone": ["Removed A.", "Removed B."]}

    says = outcome(Deployment.model_validate(failed), printed={"Removed A."})

    assert says.count("GET /health") == 2
    assert "48 lines like these left out" in says
    assert "Removed A." not in says
    assert "Removed B." in says


def test_a_table_in_a_pipe_has_no_blanks_at_the_ends_of_its_lines(api: FakeApi) -> None:
    failed = answers.failed()
    failed["failure"] = failed["failure"] | {"cause": "It ended, and so on. " * 12}
    api.gives("GET", "/v1/apps/shop/deployments", {"deployments": [failed, answers.deployment(slot="active")]})

    lines = changeover("history", "shop").stdout.splitlines()

    assert len(lines) == 3
    assert lines == [line.rstrip() for line in lines]


def test_an_empty_log_is_said_to_be_empty_and_prints_no_line(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps/shop/logs", {"container": "shop-blue", "lines": []})

    done = changeover("logs", "shop")

    assert (done.exit_code, done.stdout) == (0, "")
    assert "The log of shop is empty" in done.stderr


def test_what_was_undone_is_printed_once_by_a_command_that_waits(api: FakeApi) -> None:
    (undone,) = answers.FAILURE["undone"]
    api.gives("POST", "/v1/apps/shop/deployments", answers.deployment("d43", "queued"), 202)
    api.gives("GET", "/v1/deployments/d43", answers.failed("d43"))
    api.gives("GET", "/v1/apps/shop", answers.app())
    told = answers.Events().add("line", "d43", line=undone)
    api.events = told.add("failed", "d43", step="verify", cause="It ended.").all

    assert changeover("deploy", "shop", "--wait").stdout.count(undone) == 1
