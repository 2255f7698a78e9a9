"""What a typed line means: a command with its values, or what it may have been meant to be.

What only reads is forgiven a typing mistake, and says how it was read. What changes something never is: the right
words are suggested, and the person enters them. Nothing here asks anybody or waits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product

from border.plain import one_line
from panel.console import pattern
from panel.console.command import Command, Needs
from panel.console.commands import COMMANDS
from panel.console.moments import EXAMPLES, moment
from panel.console.nearest import nearest

MOMENTS = ("when", "until")
LONGEST_LINE = 300
"""Characters of a command."""
MOST_WORDS = 30
MOST_SUGGESTED = 4
MOST_VARIANTS = 8
"""Ways to read words that are apps and words of the language as well."""
_ENDS = "?!.,;:"
_POLITE = re.compile(
    r"^ (?:(?:please|hey|hi|hello|ok|okay|now|then|and|so|can you|could you|would you|will you|i want to"
    r"|i would like to|i'd like to|let's|let us|just) )+|(?: please| now| thanks| thank you| for me)+$",
    re.IGNORECASE,
)
_CONTRACTED = re.compile(r"^(what|who|where|how|it|that|there|let)'s$", re.IGNORECASE)
_CHANGES = frozenset(pattern.vocabulary(tuple(p for one in COMMANDS if one.changes for p in one.patterns)))
_VOCABULARY = pattern.vocabulary(tuple(p for one in COMMANDS for p in one.patterns))


@dataclass(frozen=True)
class Understood:
    """`values` are those of the slots. `read_as`: the line without a typing mistake, if there was one."""

    command: Command
    values: dict[str, str] = field(default_factory=dict)
    moments: dict[str, datetime] = field(default_factory=dict)
    read_as: str = ""

    @property
    def app(self) -> str:
        return self.values.get("app", "")


@dataclass(frozen=True)
class NotUnderstood:
    """Why, and the lines that may have been meant. Nothing was done."""

    says: str
    suggestions: tuple[str, ...] = ()


def read(line: str, apps: Sequence[str], now: datetime, selected: str = "") -> Understood | NotUnderstood:
    """What the line means. `apps` are the names that are known; `now` is in the person's zone, and `selected` the app
    under the cursor, which is meant by what only reads and names none."""
    if len(line) > LONGEST_LINE:
        return NotUnderstood(f"A command has at most {LONGEST_LINE} characters.")
    words = _words(line)
    if not words or len(words) > MOST_WORDS:
        return NotUnderstood("Type a command, such as one of these.", _examples(apps))
    found = _best(_readings(words, apps, now))
    if found is None:
        return _mended(words, apps, now, selected) or _unclear(words, apps, now)
    return _with_app(found, words, apps, selected)


def _words(line: str) -> list[str]:
    text = one_line(line).replace("’", "'").replace("“", '"').replace("”", '"')
    said = " " + " ".join(word.rstrip(_ENDS) or word for word in text.replace('"', "").split())
    while (shorter := _POLITE.sub(" ", said).rstrip()) != said:
        said = shorter if shorter.startswith(" ") else f" {shorter}"
        if not said.strip():
            break
    return [_without_possessive(word) for word in said.split()]


def _without_possessive(word: str) -> str:
    if word.lower().endswith("'s") and not _CONTRACTED.match(word):
        return word[:-2]
    return word[:-1] if word.endswith("s'") else word


def _readings(words: Sequence[str], apps: Sequence[str], now: datetime) -> Iterator[tuple[int, Understood]]:
    """Each way to understand these words, with the number of words that are no values."""
    for text in _signed(words, {name.lower() for name in apps}, pattern.APP):
        for command in COMMANDS:
            for form in command.patterns:
                values = pattern.match(form, text)
                if values is None:
                    continue
                moments = {name: moment(value, now) for name, value in values.items() if name in MOMENTS}
                known = {name: found for name, found in moments.items() if found}
                if len(known) == len(moments):
                    weight = len(words) - sum(len(value.split()) for value in values.values())
                    yield weight, Understood(command, _completed(values, apps), known)


def _completed(values: dict[str, str], apps: Sequence[str]) -> dict[str, str]:
    """With the app's name as it is written, and the level of log lines by its own name."""
    name = values.get("app", "").lower()
    more = {"app": next((one for one in apps if one.lower() == name), values["app"])} if name else {}
    if level := values.get("level", "").lower():
        more["level"] = "warning" if level.startswith("warn") else "error"
    return values | more


def _signed(words: Sequence[str], known: set[str], sign: str) -> Iterator[str]:
    """The text with a space before each word, and a sign before each that is an app; also without that sign, as far as
    it is a word of the language as well."""
    ways = [
        ((f"{sign}{word}", word) if word.lower() in _VOCABULARY else (f"{sign}{word}",))
        if word.lower() in known
        else (word,)
        for word in words
    ]
    for number, way in enumerate(product(*ways)):
        if number == MOST_VARIANTS:
            return
        yield "".join(f" {word}" for word in way)


def _best(readings: Iterable[tuple[int, Understood]]) -> Understood | None:
    best: tuple[int, Understood] | None = None
    for weight, one in readings:
        if best is None or weight > best[0]:
            best = (weight, one)
    return best[1] if best else None


def _with_app(
    found: Understood, words: Sequence[str], apps: Sequence[str], selected: str
) -> Understood | NotUnderstood:
    command = found.command
    if command.needs is not Needs.APP or found.app:
        return found
    if not command.changes and (selected or len(apps) == 1):
        return Understood(command, {**found.values, "app": selected or apps[0]}, found.moments, found.read_as)
    said = " ".join(words)
    # The app under the cursor first.
    named = sorted(apps, key=lambda name: name != selected)
    return NotUnderstood("Which app?", tuple(f"{said} {name}" for name in named[:MOST_SUGGESTED]))


def _mended(
    words: Sequence[str], apps: Sequence[str], now: datetime, selected: str
) -> Understood | NotUnderstood | None:
    """What is meant if words have a typing mistake."""
    known = {name.lower() for name in apps} | _VOCABULARY
    ways = [
        (word,) if word.lower() in known or any(c.isdigit() for c in word) else (nearest(word, known) or (word,))
        for word in words
    ]
    if all(len(way) == 1 and way[0] == word for way, word in zip(ways, words, strict=True)):
        return None
    found: dict[str, Understood | NotUnderstood] = {}
    for number, way in enumerate(product(*ways)):
        if number == MOST_VARIANTS:
            break
        if one := _best(_readings(way, apps, now)):
            found[" ".join(way)] = _with_app(one, way, apps, selected)
    understood = [(text, one) for text, one in found.items() if isinstance(one, Understood)]
    if len(found) == len(understood) == 1 and not understood[0][1].command.changes:
        text, one = understood[0]
        return Understood(one.command, one.values, one.moments, text)
    suggestions = [text for text, _ in understood]
    suggestions += [text for one in found.values() if isinstance(one, NotUnderstood) for text in one.suggestions]
    return NotUnderstood("Did you mean this? Nothing was done.", tuple(suggestions[:MOST_SUGGESTED])) if found else None


def _unclear(words: Sequence[str], apps: Sequence[str], now: datetime) -> NotUnderstood:
    """Why nothing matches, as precisely as it can be said."""
    unknown = {word.lower() for word in words} - {name.lower() for name in apps}
    for word in words:
        if word.lower() not in unknown or word.lower() in _VOCABULARY:
            continue
        text = "".join(f" {pattern.UNKNOWN if one is word else ''}{one}" for one in words)
        for command in COMMANDS:
            for form in command.patterns:
                if "app" in (pattern.match(form, text) or {}):
                    return NotUnderstood(f"There is no app {word}.", _for_each(command, apps))
    if untimely := _time_that_is_none(words, apps):
        return NotUnderstood(f"{untimely} is not a time. Times are written as: {EXAMPLES}.")
    return NotUnderstood("That is not understood. Type help to see what is, or one of these.", _alike(words, apps))


def _time_that_is_none(words: Sequence[str], apps: Sequence[str]) -> str:
    for text in _signed(words, {name.lower() for name in apps}, pattern.APP):
        for command in COMMANDS:
            for form in command.patterns:
                values = pattern.match(form, text)
                if values and "when" in values and " since " in text:
                    return values["when"]
    return ""


def _for_each(command: Command, apps: Sequence[str]) -> tuple[str, ...]:
    first, *_ = command.example.split(" shop")
    return tuple(f"{first} {name}" for name in apps[:MOST_SUGGESTED]) if " shop" in command.example else ()


def _alike(words: Sequence[str], apps: Sequence[str]) -> tuple[str, ...]:
    """Examples of the commands that have most of these words."""
    said = {word.lower() for word in words}
    common = [(len(said & pattern.vocabulary(one.patterns)), one) for one in COMMANDS]
    ranked = sorted((pair for pair in common if pair[0]), key=lambda pair: -pair[0])
    return tuple(with_app(one.example, apps) for _, one in ranked[:MOST_SUGGESTED]) or _examples(apps)


def _examples(apps: Sequence[str]) -> tuple[str, ...]:
    return tuple(with_app(one.example, apps) for one in COMMANDS[:MOST_SUGGESTED])


def with_app(example: str, apps: Sequence[str]) -> str:
    """An example about an app that there is."""
    return example if "shop" in apps or not apps else example.replace("shop", apps[0])
