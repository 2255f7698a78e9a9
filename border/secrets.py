"""The one place that knows the values of all secrets, and takes them out of what is kept, shown or logged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from border.binary_text import binary_forms
from border.escaped_text import escaped_forms
from border.plain import plain
from border.urls import HIDDEN, hidden_in_urls, hide_in_urls

LEAST = 8
"""A shorter value is not taken out: it would be found in the middle of other words."""
MOST_KNOWN = 20_000
"""So many values are known at a time; beyond it the ones that were learned first are forgotten."""
MOST_ENCODED = 500
"""Of so many values, the shortest ones, base64 and hexadecimal digits are looked for too: of the lines of a bundle of
certificates they would take a gigabyte."""
MOST_CHARACTERS = 16_384
"""Of a longer value, only its lines are looked for."""
BEGINNING = 4
"""So many first characters of each form are known apart, so that the end of a line is soon looked through."""
GROUPED_BY = 4
"""So many first characters of secrets are looked at one by one."""
MOST_REMEMBERED, MOST_REMEMBERED_CHARACTERS = 10_000, 200
NAMES = frozenset(
    {
        "id", "app", "name", "kind", "state", "step", "colour", "container", "image", "revision", "version", "ref",
        "deployment", "previous_version", "digest", "token", "session", "url", "backup", "replaced", "health",
        "outcome", "direction", "requested_by", "by",
    }
)  # fmt: skip
"""Fields of JSON answers that programs go by. They have no text from outside, and are passed on as they are."""

_TOKEN = re.compile(r"\bc[os]_[A-Za-z0-9_-]{43}")
"""A token of this API, or a session of the panel (orchestrator/access)."""
_SECRET_NAME = re.compile(r"(?i)pass|pwd|secret|token|key|credential|auth|private|salt|signature|dsn|cookie|session")
_WORDS = frozenset({"production", "development", "information"})
"""Values of eight characters that stand in many environments and in all output."""
_ORDINARY = re.compile(
    r"(?:[\d.,:]+|v?\d+(?:\.\d+)+(?:[.-][a-z]+\d*)*"  # numbers, versions
    r"|\.{0,2}(?:/[A-Za-z_][\w.-]*)+/?|[a-z_]+(?:\.[a-z_]+)+"  # paths, modules
    r"|[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.(?:com|org|net|io|dev|local|localhost|internal|test|example)"  # hosts
    r"|(?:https?|sqlite)://[\w.:/-]*)",  # addresses without credentials
)


def may_be_secret(name: str, value: str, *, in_secret_file: bool = False) -> bool:
    """Whether a variable's value is kept secret: always by its name, else unless it is plainly an ordinary setting.

    Of a file for secrets, everything is, but for words that would be taken out of every other sentence.
    """
    if len(value) < LEAST:
        return False
    ordinary = value in _WORDS or (not in_secret_file and _ORDINARY.fullmatch(value))
    return not ordinary or is_secret_name(name)


def is_secret_name(name: str) -> bool:
    """Whether whatever has this name is kept secret, such as `SMTP_PASS`."""
    return bool(_SECRET_NAME.search(name))


class Secrets:
    """The values of all secrets. They are learned from the configuration and the files that it names, and are never
    forgotten while the process runs: old output may contain old ones. May be used from any thread.
    """

    def __init__(self) -> None:
        self._known: dict[str, None] = {}
        self._open = frozenset({"changeover"})
        self.longest = 0
        """The length of the longest form of a value that is taken out; 0 if none is."""
        self.in_order: tuple[str, ...] = ()
        """Every form of every value that is taken out, in the order of their characters."""
        self.beginnings: frozenset[str] = frozenset()
        """The first BEGINNING characters of each of them."""
        self._pattern: re.Pattern[str] | None = None
        self._remembered: dict[str, str] = {}
        """Short texts that were cleaned: `status` answers the same ones every few seconds."""

    def know(self, values: Iterable[str]) -> None:
        """Take these values out from now on, also when they are encoded, escaped, or one line of several."""
        parts = {part for value in values for part in (value, *value.splitlines())}
        known = self._known.keys() | self._open
        new = {part.strip() for part in parts if LEAST <= len(part.strip()) <= MOST_CHARACTERS} - known
        if not new:
            return
        self._known |= dict.fromkeys(sorted(new))
        for oldest in list(self._known)[: max(0, len(self._known) - MOST_KNOWN)]:
            del self._known[oldest]
        self._look_for_known()

    def leave(self, names: Iterable[str]) -> None:
        """Names that everybody may see, such as those of apps and hosts: they are not taken out by themselves. A
        database is often called as its app, and no message would name the app any more."""
        self._open |= frozenset(names)
        if self._known.keys() & self._open:
            self._known = {value: None for value in self._known if value not in self._open}
            self._look_for_known()

    def _look_for_known(self) -> None:
        shortest = sorted(self._known, key=len)[:MOST_ENCODED]
        forms = {form for value in self._known for form in _forms(value)}
        forms |= {form for value in shortest for form in binary_forms(value) if len(form) >= LEAST}
        self.longest = max(map(len, forms), default=0)
        self.in_order = tuple(sorted(forms))
        self.beginnings = frozenset(form[:BEGINNING] for form in forms)
        self._pattern = _one_pattern(sorted(forms, key=lambda form: (-len(form), form))) if forms else None
        self._remembered = {}

    def hide(self, text: str) -> str:
        """The text without secrets: known ones, credentials in URLs, and tokens of this API."""
        if self._pattern:
            text = self._pattern.sub(HIDDEN, text)
        if "co_" in text or "cs_" in text:
            text = _TOKEN.sub(HIDDEN, text)
        return hide_in_urls(text)

    def find(self, text: str) -> tuple[int, int] | None:
        """Where the first known secret begins and ends in the text."""
        found = self._pattern.search(text) if self._pattern else None
        return found.span() if found else None

    def shown_from(self, text: str, place: int) -> int:
        """The first place from this one on from which the text may be shown alone: after what is hidden and begins
        before this one."""
        known = (found.span() for found in self._pattern.finditer(text)) if self._pattern else ()
        tokens = (found.span() for found in _TOKEN.finditer(text))
        ends = (end for start, end in (*known, *tokens, *hidden_in_urls(text)) if start < place < end)
        return max(ends, default=place)

    def text(self, text: str) -> str:
        """Text from outside, as it may be kept and shown: without control characters, then without secrets."""
        if len(text) > MOST_REMEMBERED_CHARACTERS:
            return self.hide(plain(text))
        remembered = self._remembered
        if (known := remembered.get(text)) is None:
            if len(remembered) >= MOST_REMEMBERED:
                remembered.clear()
            known = remembered[text] = self.hide(plain(text))
        return known

    def values(self, value: Any) -> Any:  # Any: JSON
        """As `text`, for every text in a JSON value. The fields in NAMES keep what they contain, made plain."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self._name(name): self._field(name, one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.values(one) for one in value]
        return value

    def cut(self, text: str, most: int) -> str:
        """At most the first `most` characters. A secret is taken out before the cut, so that no half of one is left."""
        return self.text(text)[:most]

    def _name(self, name: Any) -> Any:  # Any: a key of JSON
        return self.text(name) if isinstance(name, str) else name

    def _field(self, name: Any, value: Any) -> Any:  # Any: JSON
        return plain(value) if name in NAMES and isinstance(value, str) else self.values(value)


def _forms(value: str) -> set[str]:
    """How a value may be written: as it is, or escaped.

    Of a value with control characters, such as a line of a binary key, too little may be left without them: that would
    be found in the middle of other words.
    """
    forms = {value, plain(value), *escaped_forms(value)}
    return {form for form in forms if len(form.strip()) >= LEAST}


def _one_pattern(forms: Iterable[str]) -> re.Pattern[str]:
    """Grouped by their first characters, one by one: at each place of a text few of them are tried."""
    return re.compile(_grouped(forms, GROUPED_BY))


def _grouped(forms: Iterable[str], levels: int) -> str:
    """The longest of the forms with the same first characters comes first, as it does in `forms`."""
    groups: dict[str, list[str]] = {}
    for form in forms:
        groups.setdefault(form[:1], []).append(form[1:])
    inner = {
        head: "|".join(map(re.escape, rests)) if levels == 1 or len(rests) == 1 else _grouped(rests, levels - 1)
        for head, rests in groups.items()
    }
    return "|".join(f"{re.escape(head)}(?:{rest})" for head, rest in inner.items())
