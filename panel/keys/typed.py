"""The input of a terminal without its answers: nobody typed those, and no key may be read from them.

A terminal answers questions that are escape sequences in what it shows: its colours (OSC), its kind (DA), its state
(DSR, DECRPM), its contents (DCS). The answer arrives as input. Its letters would be keys: `rgb:` has a `b`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

STRING_WITHIN_S = 0.5
"""An answer arrives at once. Where the rest does not come within this time, a person pressed Alt and a bracket."""
HELD_FOR_S = 0.05
"""How long the first characters of a sequence are kept back until the next ones show what it is."""

_STRING = re.compile(r"\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f]")
"""The beginnings of OSC, DCS, SOS, PM and APC (ECMA-48, section 5.6)."""
_STRING_END = re.compile(r"\x07|\x1b\\|\x9c")
_ANSWER = re.compile(
    r"(?:\x1b\[|\x9b)(?:"
    r"[?>=][0-9;:]*[ -/]*[a-zA-Z]"  # DA, DECDSR, answers of the kitty protocol: no key has a private parameter
    r"|[0-9;]*[cnx]|(?!48;)[0-9;]*t"  # DA, DSR, DECREPTPARM, reports of the window but the one that Textual reads
    r"|[0-9;]*[ -/]+[@-~]"  # answers with intermediate characters
    r")"
)
_MODE = re.compile(r"\x1b\[\?(?:2026|2048);\d\$y")
"""Answers that Textual asks for and reads: these are passed on."""
_MAY_BE_KEYS = ("\x1b", "\x1b[", "\x9b")
"""Escape, Alt and a bracket, and that in one character: also how sequences begin."""
_BEGUN = re.compile(r"\x1b[\[\]PX^_]|\x9b")
_UNFINISHED = re.compile(r"(?:\x1b|\x1b\[[0-?]*[ -/]*|\x9b[0-?]*[ -/]*)\Z")


class Typed:
    """Takes input as it arrives and gives what a person typed. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held = ""
        self._since = 0.0
        self._given = ""
        """What `late` gave last, at `_given_at`."""
        self._given_at = 0.0
        self._in_string = False
        """Whether this is inside of an answer whose end has not come. None of it is kept, so that it may be long."""

    def take(self, text: str) -> str:
        """What was typed, as far as it is known now."""
        if self._in_string and self._clock() - self._since > STRING_WITHIN_S:
            self._in_string = False
        text, self._held = self._held + text, ""
        if len(text) > 1 and self._clock() - self._given_at <= STRING_WITHIN_S and _BEGUN.match(self._given + text):
            # Not typed: it came at once. The beginning of the sequence was a key to whoever waited for HELD_FOR_S.
            text = self._given + text
        self._given = ""
        typed = []
        while text:
            if self._in_string:
                text = self._rest_of_string(text)
                continue
            found = _STRING.search(text)
            typed.append(text[: found.start()] if found else text)
            text = text[found.end() :] if found else ""
            self._in_string = bool(found)
            self._since = self._clock()
        return self._without_answers("".join(typed))

    def late(self) -> str:
        """What was kept back for HELD_FOR_S seconds, and is a key after all. To be called again and again.

        What has parameters already is no key: its rest may come until STRING_WITHIN_S is over, and is waited for.
        """
        waited = self._clock() - self._since
        if self._held not in ("", *_MAY_BE_KEYS):
            self._held = self._held if waited < STRING_WITHIN_S else ""
            return ""
        if waited < HELD_FOR_S:
            return ""
        if given := self.rest():
            self._given, self._given_at = given, self._clock()
        return given

    def rest(self) -> str:
        """What was kept back, where nothing of the same sequence can follow; empty inside of an answer."""
        if self._in_string and self._clock() - self._since <= STRING_WITHIN_S:
            return ""
        self._in_string = False
        held, self._held = self._held, ""
        return held

    def _rest_of_string(self, text: str) -> str:
        end = _STRING_END.search(text)
        if end:
            self._in_string = False
            return text[end.end() :]
        self._since = self._clock()
        if text.endswith("\x1b"):
            # The first half of the end, perhaps.
            self._held = "\x1b"
        return ""

    def _without_answers(self, text: str) -> str:
        text = _ANSWER.sub(lambda found: found[0] if _MODE.fullmatch(found[0]) else "", text)
        if not self._in_string and (unfinished := _UNFINISHED.search(text)):
            self._held, self._since = unfinished[0], self._clock()
            text = text[: unfinished.start()]
        return text
