"""Lines with their moments, and the log of a container that is removed: within limits, and never in the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from docker.errors import APIError

from border.secrets import Secrets
from orchestrator.domain.log_line import LogLine, LogPart, LogRange, just_after
from orchestrator.engine.base import LABEL_NAME, LABEL_ROLE, Role
from orchestrator.engine.docker import log_of_removed
from orchestrator.engine.docker.log import read_part
from orchestrator.engine.docker.log_of_removed import keep_log
from orchestrator.logs.moment import moment
from tests.support.fakes.container_log import frames, with_log

AT = "2026-11-28T08:00:0{}.000000000Z"


def stamped(*pieces: tuple[int, int, str]) -> bytes:
    """Docker's answer: of each piece its stream, the second of its moment, and its text."""
    return frames(*((stream, f"{AT.format(second)} {text}") for stream, second, text in pieces))


def removed(body: bytes, role: str = Role.APP, answers: Any = lambda: None) -> Any:  # Any: as with_log gives it
    labels = {LABEL_NAME: "shop-blue", LABEL_ROLE: role}
    return with_log(body, answers, name="shop-blue", labels=labels, status="exited", reload=lambda: None)


def kept_of(container: Any) -> list[LogPart]:  # Any: as above
    found: list[LogPart] = []

    def keep(name: str, labels: Mapping[str, str], part: LogPart) -> None:
        assert name == "shop-blue"
        found.append(part)

    keep_log(container, Secrets(), keep)
    return found


def test_a_line_has_the_moment_of_its_first_piece_also_when_it_is_kept_back_for_a_secret() -> None:
    secrets = Secrets()
    secrets.know(["correct-horse-battery-staple"])
    written = stamped(
        (1, 1, "key correct-horse-\n"), (2, 2, "a warning\n"), (1, 3, "battery-staple end\n"),
        (1, 4, "long " * 10), (1, 5, "end\n"), (2, 6, "without an end"),
    )  # fmt: skip

    part = read_part(with_log(written), LogRange(10), secrets)

    assert sorted(part.lines, key=lambda line: line.at) == [
        LogLine(AT.format(1), "key [hidden]"),
        LogLine(AT.format(2), "a warning", is_error=True),
        LogLine(AT.format(3), "[hidden] end"),
        LogLine(AT.format(4), "long " * 10 + "end"),
        LogLine(AT.format(6), "without an end", is_error=True),
    ]
    assert (part.last_at, part.looked_at) == (AT.format(6), 5)


def test_the_end_of_a_long_log_is_kept_and_says_how_much_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    written = stamped(*((1, number % 10, f"line {number:05d}\n") for number in range(200)))
    monkeypatch.setattr(log_of_removed, "MOST_LINES", 200)
    monkeypatch.setattr(log_of_removed, "MOST_BYTES", 500)

    (part,) = kept_of(removed(written))

    assert [line.text for line in part.lines] == [f"line {number:05d}" for number in range(150, 200)]
    assert part.left_out.startswith("150 lines before this not kept")


def test_of_a_sidecar_nothing_is_kept_and_an_engine_that_gives_no_log_keeps_no_container() -> None:
    def refuses() -> None:
        raise APIError("configured logging driver does not support reading")

    assert kept_of(removed(stamped((1, 1, "one\n")), Role.SIDECAR)) == []
    assert kept_of(removed(b"", answers=refuses)) == []


@pytest.mark.parametrize(
    ("at", "after"),
    [
        ("2026-11-28T08:00:01.000000009Z", "2026-11-28T08:00:01.000000010Z"),
        ("2026-12-31T23:59:59.999999999Z", "2027-01-01T00:00:00.000000000Z"),
    ],
)
def test_the_next_moment_is_one_nanosecond_later(at: str, after: str) -> None:
    assert just_after(at) == after


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", ""), ("90s", "2026-11-28T07:58:30.000000000Z"), ("1h30m", "2026-11-28T06:30:00.000000000Z"),
        ("2026-11-28T10:00", "2026-11-28T10:00:00.000000000Z"),
        ("2026-11-28T10:00:00.5+02:00", "2026-11-28T08:00:00.500000000Z"),
        ("2026-11-28T10:00:00 02:00", "2026-11-28T08:00:00.000000000Z"),
        ("2026-11-28", "2026-11-28T00:00:00.000000000Z"),
    ],
)  # fmt: skip
def test_since_and_until_are_durations_or_moments(text: str, at: str) -> None:
    assert moment(text, datetime(2026, 11, 28, 8, tzinfo=UTC)) == at


@pytest.mark.parametrize("text", ["yesterday", "10 minutes", "-5m", "9" * 19, "0001-01-01T00:00:00+23:59"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it must be a duration"):
        moment(text, datetime(2026, 11, 28, 8, tzinfo=UTC))
