"""The messages about a configuration file: what was expected, what was found, and what to do."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

from border.secrets import LEAST
from orchestrator.config.keys import KeyPath, known_keys
from orchestrator.domain.counted import counted

KEPT_SECRET = ("env", "args")
"""Sections whose values are not repeated in messages, because they may contain passwords."""

_QUOTED = re.compile(r"""(['"])(?P<text>(?:\\.|(?!\1).)*)\1""")
"""What a message of PyYAML quotes, in pairs of quotes: "expected ',' or ']', but got '<stream end>'"."""
_OWN_WORD = re.compile(r"<[a-z ]+>")
"""What it quotes and is not from the file, such as '<block end>'."""

_TAB = "found character '\\t' that cannot start any token"
_ANOTHER_DOCUMENT = "but found another document"
"""What PyYAML says (yaml/scanner.py, yaml/composer.py)."""

MERGE_CONFLICT = (
    "the file has marks of a merge conflict. Keep one of the two sides, and remove the lines that begin with "
    "<<<<<<<, =======, >>>>>>>"
)

_EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "tuple_type": "a list",
    "model_type": "a section with keys",
    "dict_type": "a section with keys",
}


def not_yaml(problem: str) -> str:
    if problem == _TAB:
        return "a tab stands where YAML has spaces. Indent with spaces, and remove the tab"
    if problem == _ANOTHER_DOCUMENT:
        return "a second document begins here, by the line ---. Keep one in the file, and remove the line"
    return f"not valid YAML: {without_values(problem)}. Correct this line, or one of the lines before it"


def without_values(problem: str) -> str:
    """The message of a parser, without what it quotes from the file where that may be a secret."""

    def shown(found: re.Match[str]) -> str:
        is_short = len(found["text"]) < LEAST
        return found[0] if is_short or _OWN_WORD.fullmatch(found["text"]) else "a value"

    return _QUOTED.sub(shown, problem)


def without_assigned(name: str) -> str:
    """A name, without the value that is written behind it as `NAME=value`."""
    before, assigned, value = name.partition("=")
    return f"{before}=(not shown)" if assigned and value else name


def not_text(error: UnicodeDecodeError) -> str:
    return f"not UTF-8 text: {error.reason} at byte {error.start}. Save the file as UTF-8"


def repeated(first_line: int) -> str:
    return f"the key is set twice, first in line {first_line}. Remove one of the two"


def explain(detail: ErrorDetails) -> tuple[KeyPath, str]:
    """The key that one of pydantic's errors is about, and the message for people."""
    path = tuple(part for part in detail["loc"] if part != "[key]")
    match detail["type"]:
        case "extra_forbidden":
            return path, _unknown(path)
        case "missing":
            return path, "the key is required here. docs/configuration.md describes it"
        case "string_pattern_mismatch" if path[-1:] and path[0] == "apps" and len(path) > 2:
            return path, f"expected a value without special characters; {_found(path, detail['input'])}"
        case "string_pattern_mismatch":
            return (
                path,
                "expected a name of at most 31 lower-case letters, digits and hyphens that begins with a letter "
                "and does not end with a hyphen",
            )
        case "value_error":
            says = detail["msg"].removeprefix("Value error, ")
            if isinstance(detail["input"], dict):
                return path, says
            expected, meant, near = says.partition(" Did you mean ")
            says = f"{expected.removesuffix('.')}; {_found(path, detail['input'])}"
            return path, f"{says}.{meant}{near}" if near else says
    says = f"expected {_expected(detail)}; {_found(path, detail['input'])}{_meant(detail)}"
    if detail["type"] == "string_type" and isinstance(detail["input"], int | float):
        says += ". Write the value in quotes"
    if detail["type"] == "tuple_type" and isinstance(detail["input"], str):
        says += ". Write it in brackets, with a comma between two of them: [one, two]"
    return path, says


def without_consequences(found: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Without what is wrong with a list only because one of its values is: pydantic counts the others alone."""
    wrong_within = {one["loc"][:end] for one in found for end in range(len(one["loc"]))}
    return [one for one in found if not (one["type"] in ("too_short", "too_long") and one["loc"] in wrong_within)]


def _meant(detail: ErrorDetails) -> str:
    """The word that may be meant, of those that are possible; empty where none is near."""
    if detail["type"] != "literal_error" or not isinstance(detail["input"], str):
        return ""
    words, given = re.findall(r"'([^']*)'", detail["ctx"]["expected"]), detail["input"].lower()
    longer = [word for word in words if given.startswith(word)]
    near = longer or difflib.get_close_matches(given, words, n=1, cutoff=0.5)
    return f". Did you mean '{near[0]}'?" if near else ""


def _unknown(path: KeyPath) -> str:
    known = known_keys(path[:-1])
    near = difflib.get_close_matches(str(path[-1]).lower(), known, n=1)
    return (
        f"unknown key. Did you mean '{near[0]}'?"
        if near
        else f"unknown key. Known keys here: {', '.join(sorted(known))}"
    )


def _expected(detail: ErrorDetails) -> str:
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than":
            return f"a number greater than {limits['gt']:.15g}"
        case "greater_than_equal":
            return f"a number of at least {limits['ge']:.15g}"
        case "less_than_equal":
            return f"a number of at most {limits['le']:.15g}"
        case "literal_error":
            return f"one of {limits['expected']}"
        case "too_short":
            return f"a list with at least {counted(limits['min_length'], 'value')}"
        case "too_long":
            return f"a list with at most {counted(limits['max_length'], 'value')}"
    return _EXPECTED.get(detail["type"], detail["msg"].removeprefix("Input should be "))


def _kind(value: Any) -> str:  # Any: any value that YAML has
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a section"
    return "a text"


def _found(path: KeyPath, value: Any) -> str:  # Any: any value that YAML has
    """A value of LEAST characters or more is not repeated: it may be a password that stands at the wrong place."""
    if value is None:
        return "found nothing. Remove the key, or give it a value"
    if any(part in KEPT_SECRET for part in path):
        return f"found a value of another kind ({_kind(value)})"
    match value:
        case list():
            return f"found a list of {len(value)}"
        case dict():
            return f"found a section with {counted(len(value), 'key')}"
        case str():
            return f"found {value!r}" if len(value) < LEAST else f"found another text of {len(value)} characters"
    shown = json.dumps(value)
    harmless = len(shown) < LEAST or (isinstance(value, float) and not math.isfinite(value))
    return f"found {shown}" if harmless else "found another number"
