"""What a command prints is limited, whatever it prints, and it is said how much was left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from border.secrets import Secrets
from border.urls import HIDDEN
from orchestrator.domain.schema_report import is_report
from orchestrator.host.output import LAST_LINES, LINE_BYTES, MOST_KEPT, MOST_LINES, Output


def shown(*chunks: bytes, **options: object) -> list[str]:
    lines: list[str] = []
    output = Output(lines.append, **options)  # type: ignore[arg-type]
    for chunk in chunks:
        output.feed(chunk)
    output.close()
    return lines


@given(st.binary(max_size=400), st.integers(1, 50))
def test_lines_are_the_same_wherever_the_chunks_end(text: bytes, size: int) -> None:
    chunks = [text[start : start + size] for start in range(0, len(text), size)]

    assert shown(*chunks) == shown(text)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.text("ab\n", max_size=6))))
def test_a_line_of_one_stream_is_whole_whatever_the_other_one_says_meanwhile(said: list[tuple[int, str]]) -> None:
    """A report on standard output, and a warning on standard error that came while it was written, were neither."""
    lines: list[str] = []
    output = Output(lines.append)
    for stream, text in said:
        output.feed(text.encode(), stream)
    output.close()

    of_each = [line for stream in (1, 2) for line in lines_of("".join(text for one, text in said if one == stream))]
    assert sorted(lines) == sorted(of_each)


def test_a_secret_that_is_wrapped_is_hidden_also_where_the_other_stream_speaks_in_between() -> None:
    secrets = Secrets()
    secrets.know(["correct-horse-battery-staple"])
    lines: list[str] = []
    output = Output(lines.append, known_secrets=secrets)
    for stream, said in ((1, b"correct-horse-\n"), (2, b"a warning\n"), (1, b"battery-staple\n")):
        output.feed(said, stream)
    output.close()

    assert sorted(lines) == sorted(["a warning", HIDDEN, HIDDEN])


def lines_of(text: str) -> list[str]:
    *whole, rest = text.split("\n")
    return [*whole, rest] if rest else whole


def test_whole_lines_are_passed_on_without_their_ends() -> None:
    assert shown(b"one\r\ntwo\n\nthree") == ["one", "two", "", "three"]


def test_of_very_many_lines_the_first_and_the_last_are_passed_on() -> None:
    lines = shown(*(f"{number}\n".encode() for number in range(300_000)))

    assert len(lines) == MOST_LINES + 1 + LAST_LINES
    assert lines[MOST_LINES].startswith(f"[{300_000 - MOST_LINES - LAST_LINES} lines left out")
    assert lines[-1] == "299999"


def test_a_very_long_line_is_cut_and_does_not_push_the_reason_out() -> None:
    lines = shown(b"x" * 10_000_000, b"\nthe reason\n")

    assert len(lines[0]) < LINE_BYTES + 50
    assert lines[0].strip("x") == f" [{10_000_000 - LINE_BYTES} bytes left out] "
    assert lines[1] == "the reason"


def test_the_reason_at_the_end_of_a_very_long_line_is_shown() -> None:
    """A line on standard error that follows output without an end is a part of that line."""
    (line,) = shown(*[b"x" * 16_384] * 100, b"the reason stands here\n")

    assert line.endswith("xthe reason stands here")
    assert len(line) < LINE_BYTES + 50


@given(st.integers(LINE_BYTES - 5, LINE_BYTES + 3000), st.integers(1, 3000))
def test_of_a_long_line_is_shown_what_is_said_wherever_the_chunks_end(length: int, size: int) -> None:
    text = "".join(f"{number} " for number in range(length))[:length]
    (line,) = shown(*[text[start : start + size].encode() for start in range(0, length, size)])

    assert line == shown(text.encode())[0]
    beginning, said, end = line.partition(" bytes left out] ")
    if not said:
        assert line == text
        return
    beginning, _, left_out = beginning.rpartition(" [")
    assert text.startswith(beginning)
    assert text.endswith(end)
    assert len(beginning) + int(left_out) + len(end) == length


def test_what_must_always_be_heard_is_passed_on_beyond_the_limit() -> None:
    chunks = [b"noise\n"] * (MOST_LINES + 10) + [b"changeover: {}\n"] + [b"noise\n"] * 10

    assert "changeover: {}" in shown(*chunks, must_be_heard=is_report)


def test_of_lines_that_claim_to_be_what_must_be_heard_only_so_many_are_passed_on() -> None:
    lines = shown(*[b"changeover: {}\n"] * 300_000, must_be_heard=is_report)

    assert len(lines) == MOST_LINES + MOST_KEPT + 1 + LAST_LINES


def test_a_log_is_passed_on_whole() -> None:
    assert len(shown(*[b"a line\n"] * (MOST_LINES + 10), is_log=True)) == MOST_LINES + 10
