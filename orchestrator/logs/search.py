"""Which lines are wanted: by their level, and by a text or a regular expression.

What is searched is what is shown: without secrets, so that nobody can guess one letter by letter. A regular expression
may take for ever, and Python cannot end it: it runs in a process of its own (matcher.py), which is ended in time.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.domain.log_line import Level, LogLine
from orchestrator.errors import InvalidSearch
from orchestrator.host import child_process
from orchestrator.logs.level import Levels, reaches

MATCHED_WITHIN_S = 3.0
"""For one answer, or one batch of lines that are followed."""
MOST_PATTERN = 500
"""Characters of a search."""
_MATCHER = Path(__file__).with_name("matcher.py")


@dataclass(frozen=True)
class Wanted:
    """`level`: this one or a more serious one. `search` is found in any case of letters; with `is_regex` it is a
    regular expression of Python."""

    level: Level | None = None
    search: str = ""
    is_regex: bool = False

    @property
    def is_all(self) -> bool:
        return not self.level and not self.search


def check(wanted: Wanted) -> None:
    """Raises InvalidSearch for a regular expression that is none."""
    if wanted.is_regex:
        try:
            re.compile(wanted.search)
        except (re.error, RecursionError, OverflowError) as error:
            raise InvalidSearch(
                f"The search is not a regular expression: {error}.", "Correct it, or search for it as plain text."
            ) from error


class Sieve:
    """Chooses lines of one log, one after another, by level and plain text. It gives each its level."""

    def __init__(self, wanted: Wanted) -> None:
        self._levels = Levels()
        self._least = wanted.level
        self._text = "" if wanted.is_regex else wanted.search.casefold()

    def __call__(self, line: LogLine) -> LogLine | None:
        level = self._levels.of(line)
        if self._least and not reaches(level, self._least):
            return None
        if self._text and self._text not in line.text.casefold():
            return None
        return replace(line, level=level)


async def matching(wanted: Wanted, lines: Sequence[LogLine]) -> list[LogLine]:
    """Those in which the regular expression is found. Raises InvalidSearch when it takes too long."""
    if not wanted.is_regex or not lines:
        return list(lines)
    asked = json.dumps({"pattern": wanted.search, "lines": [line.text for line in lines]}).encode()
    try:
        # -I -S: it starts in some 15 ms, and imports nothing of ours.
        ended = await child_process.run(
            sys.executable, "-I", "-S", str(_MATCHER), env={}, timeout_s=MATCHED_WITHIN_S, given=asked,
            terminate_within_s=0.1,
        )  # fmt: skip
    except TimeoutError as error:
        raise InvalidSearch(
            f"The regular expression was not matched within {MATCHED_WITHIN_S:g} s.",
            "Make it simpler: repetitions within repetitions, such as (a+)+, take for ever. Or search for plain text.",
        ) from error
    if ended.exit_code:
        raise InvalidSearch("The regular expression needs more memory than it may have.", "Make it simpler.")
    return [lines[number] for number in json.loads(ended.out)]
