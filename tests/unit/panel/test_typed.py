"""What a terminal answers by itself is not a key, however it arrives; what a person types is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from panel.keys.terminal_driver import KeyParser
from panel.keys.typed import HELD_FOR_S, STRING_WITHIN_S, Typed

ANSWERS = (
    "\x1b]11;rgb:0000/b0b0/0000\x1b\\", "\x1b]11;rgb:0000/b0b0/0000\x07", "\x1b]52;c;YnV5\x07",
    "\x1b]4;1;rgb:b/u/y\x07",
    "\x1bP1+r544e=787465726d\x1b\\", "\x1bP>|xterm(390) buy\x1b\\", "\x1b_Gi=1;OK buy\x1b\\",
    "\x1b^b\x1b\\", "\x1bXb\x1b\\",
    "\x1b[?1;2c", "\x1b[>0;276;0c", "\x1b[=1;0c", "\x1b[0n", "\x1b[?13n", "\x1b[?1u", "\x1b[?6;1$y", "\x1b[8;24;80t",
    "\x9d11;rgb:b/b/b\x9c", "\x9b?1;2c",
)  # fmt: skip
KEYS = (
    "b",
    "u",
    "y",
    "Ü",
    "\r",
    "\x1b[A",
    "\x1bOP",
    "\x1b[1;5C",
    "\x1b[27u",
    "\x1b[<0;10;10M",
    "\x1b[I",
    "\x1b[3~",
    "🙂",
)


def taken(*messages: str) -> str:
    typed = Typed(lambda: 0.0)
    return "".join(typed.take(message) for message in messages) + typed.rest()


@given(st.lists(st.sampled_from([*ANSWERS, *KEYS]), max_size=8), st.data())
def test_keys_alone_are_typed_wherever_the_input_is_cut(pieces: list[str], data: st.DataObject) -> None:
    whole = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    messages = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    assert taken(*messages) == "".join(piece for piece in pieces if piece in KEYS)


@pytest.mark.parametrize("answer", ANSWERS)
def test_textual_makes_no_key_of_an_answer(answer: str) -> None:
    parser = KeyParser()

    found = [*parser.feed(answer), *parser.feed("p"), *parser.tick()]

    assert [one.key for one in found if isinstance(one, events.Key)] == ["p"]


@pytest.mark.parametrize("number", [1, 1000])
def test_a_long_answer_is_no_key_however_many_pieces_it_comes_in(number: int) -> None:
    clipboard = "buy" * 20_000
    size = len(clipboard) // number
    pieces = [clipboard[start : start + size] for start in range(0, len(clipboard), size)]

    assert taken("\x1b]52;c;", *pieces, "buy\x07", "p") == "p"


def test_what_textual_asks_a_terminal_for_it_gets() -> None:
    assert taken("\x1b[?2026;2$y") == "\x1b[?2026;2$y"
    assert taken("\x1b[48;24;80;600;800t") == "\x1b[48;24;80;600;800t"


def test_a_key_that_begins_like_an_answer_is_a_key_after_a_moment() -> None:
    time = [0.0]
    typed = Typed(lambda: time[0])

    assert typed.take("\x1b") == ""
    assert typed.late() == ""
    time[0] += HELD_FOR_S
    assert typed.late() == "\x1b"


@pytest.mark.parametrize("pause", [HELD_FOR_S, STRING_WITHIN_S - 0.1])
@pytest.mark.parametrize("cut", range(1, 8))
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_is_no_key_although_its_rest_comes_late(answer: str, cut: int, pause: float) -> None:
    """As over a slow line. What begins as a key may have become one meanwhile: Escape, or Alt and a bracket."""
    cut = min(cut, len(answer) - 2)
    time = [0.0]
    typed = Typed(lambda: time[0])
    got = typed.take(answer[:cut])
    time[0] += pause
    got += typed.late() + typed.late() + typed.take(answer[cut:])
    time[0] += 2 * STRING_WITHIN_S
    got += typed.late() + typed.late() + typed.take("p")

    assert got in ("p", "\x1bp", "\x1b[p", "\x9bp")


@pytest.mark.parametrize("key", [key for key in KEYS if key.startswith("\x1b")])
def test_a_key_is_that_key_although_its_rest_comes_late(key: str) -> None:
    time = [0.0]
    typed = Typed(lambda: time[0])
    got = typed.take(key[:3])
    time[0] += HELD_FOR_S

    assert got + typed.late() + typed.take(key[3:]) == key


@pytest.mark.parametrize("letter", ["]", "P", "X", "^", "_", "["])
def test_a_person_who_presses_escape_and_then_a_letter_has_typed_both(letter: str) -> None:
    time = [0.0]
    typed = Typed(lambda: time[0])
    typed.take("\x1b")
    time[0] += HELD_FOR_S

    assert typed.late() + typed.take(letter) + typed.take("b") == f"\x1b{letter}b"


def test_a_person_who_presses_alt_and_a_bracket_can_go_on_typing() -> None:
    time = [0.0]
    typed = Typed(lambda: time[0])
    typed.take("\x1b]")

    time[0] += STRING_WITHIN_S + 0.1

    assert typed.take("b") == "b"
