"""What a terminal obeys is gone, and what people read stays."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from border.plain import one_line, plain, plain_values
from tests.support.hostile import forbidden_anywhere, forbidden_in, hostile_text


@given(hostile_text())
def test_no_control_character_stays(text: str) -> None:
    assert forbidden_in(plain(text)) == set()
    assert plain(plain(text)) == plain(text)
    assert "\n" not in one_line(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"])))
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@given(st.recursive(hostile_text(4), lambda inner: st.lists(inner) | st.dictionaries(hostile_text(3), inner)))
def test_every_text_of_a_value_is_plain(value: object) -> None:
    assert forbidden_anywhere(plain_values(value)) == set()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b]11;?\x1b\\b", "ab"),
        ("\x1b]8;;https://x\x07link\x1b]8;;\x07", "link"),
        ("a\x9d11;?\x9cb", "ab"),
        ("a\x1b]never ended", "anever ended"),
        ("line\r\nline", "line\nline"),
        ("10 %\r20 %", "10 % 20 %"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\ud800b", "a\ufffdb"),
        ("Zoë 👩\u200d💻 नमस्ते עברית\tx", "Zoë 👩\u200d💻 नमस्ते עברית\tx"),
    ],
)
def test_sequences_are_taken_out_whole(written: str, shown: str) -> None:
    assert plain(written) == shown


@pytest.mark.parametrize("piece", ["\x1b]", "\x9d", "\x1b[", "\x1b[1;", "\x1bP\x1b", "\r"])
def test_very_many_beginnings_take_no_time_that_grows_with_their_square(piece: str) -> None:
    def spent(times: int) -> float:
        began = time.process_time()
        plain(piece * times)
        return time.process_time() - began

    assert spent(200_000) < 100 * max(spent(20_000), 0.001)
