"""The syntax of environment files, as Docker Compose reads them: that of compose-go, dotenv/parser.go, of Compose 2.26.

Unlike Compose, `$` stands for itself (in double quotes also as `\\$`), nothing is taken from the orchestrator's own
environment, and what sets no variable is refused: a name alone, or one that is empty or has white space in it. Text
after a value in quotes is refused, too; Compose takes it for the next name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_BLANK = "\t\v\f\r \x85\xa0"
"""White space within a line."""
_SPACE = f"{_BLANK}\n\u1680{''.join(map(chr, range(0x2000, 0x200B)))}\u2028\u2029\u202f\u205f\u3000"
"""All that Unicode calls white space."""
_EXPORT = re.compile(r"export[\t\n\f\r ]+")
_END_OF_NAME = re.compile(r"[=:\n]")
_BLANKS = re.compile(f"[{_BLANK}]*")
_COMMENT_OR_NOTHING = re.compile(f"[{_SPACE}]*(?:#.*)?", re.DOTALL)
_COMMENT_OR_SPACE = re.compile(f"(?:[{_SPACE}]+|#[^\n]*(?:\n|$))*")
_QUOTED = {quote: re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", re.DOTALL) for quote in "'\""}
_ESCAPED_QUOTE = {quote: re.compile(rf"\\(?:\\|({quote}))") for quote in _QUOTED}
_ESCAPE = re.compile(r"\\(?:[abcfnrtv$\"\\]|0[0-9]{0,3})")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "$": "$", '"': '"', "\\": "\\"}
_OCTAL = re.compile(r"[0-3][0-7]{2}")


class NotAVariable(ValueError):
    """A text that sets no variable, or one that Compose does not accept. `line` is where it begins, from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


@dataclass(frozen=True)
class Variable:
    name: str
    value: str


def variables(text: str) -> Iterator[Variable]:
    """The variables that a text sets, in order. Raises NotAVariable."""
    at = counted_to = 0
    line = 1
    while (at := _start(text, at)) < len(text):
        line += text.count("\n", counted_to, at)
        counted_to = at
        try:
            name, value_at = _name(text, at)
            value, at = _value(text, value_at)
        except ValueError as error:
            raise NotAVariable(line) from error
        yield Variable(name, value)


def _start(text: str, at: int) -> int:
    """Where the next variable begins, after white space and comments."""
    found = _COMMENT_OR_SPACE.match(text, at)
    return found.end() if found else at


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _name(text: str, at: int) -> tuple[str, int]:
    """The name, and where its value begins. Raises ValueError."""
    if export := _EXPORT.match(text, at):
        at = _after_blanks(text, export.end())
    end = _END_OF_NAME.search(text, at)
    name = text[at : end.start()].rstrip(_BLANK) if end else ""
    if end is None or end[0] == "\n" or not name or not all(_may_be_in_a_name(one) for one in name):
        raise ValueError("no name")
    return name, _after_blanks(text, end.end())


def _may_be_in_a_name(character: str) -> bool:
    return character in "_.-[]" or unicodedata.category(character)[0] in "LN"


def _value(text: str, at: int) -> tuple[str, int]:
    """The value, and where it ends. Raises ValueError for a quote without end, and for text after a value in quotes."""
    quote = text[at : at + 1]
    if quote not in _QUOTED:
        end = _end_of_line(text, at)
        return text[at:end].partition(" #")[0].rstrip(_SPACE), end
    found = _QUOTED[quote].match(text, at)
    if found is None:
        raise ValueError("the quote has no end")
    end = _end_of_line(text, found.end())
    if not _COMMENT_OR_NOTHING.fullmatch(text, found.end(), end):
        raise ValueError("text after the quote")
    value = _ESCAPED_QUOTE[quote].sub(lambda one: one[1] or one[0], found[1])
    return (_ESCAPE.sub(_escaped, value) if quote == '"' else value), found.end()


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _escaped(found: re.Match[str]) -> str:
    """What an escape stands for. An octal number has three digits after its 0; without, Compose drops the 0 alone."""
    what = found[0][1:]
    if not what.startswith("0"):
        return _ESCAPED.get(what, found[0])
    digits = what[1:]
    return chr(int(digits, 8)) if _OCTAL.fullmatch(digits) else f"\\{digits}"
