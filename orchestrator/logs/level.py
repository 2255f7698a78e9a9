"""The level of a line of a log, by the ways in which programs write it."""

from __future__ import annotations

import re

from orchestrator.domain.log_line import Level, LogLine

LOOKED_AT = 600
"""So many first characters of a line are looked at. A field of JSON may stand further on: of that, JSON_LOOKED_AT."""
JSON_LOOKED_AT = 4096
MOST_WORDS = 8
"""The level stands among so many first words, after the time, the process and the logger."""

_WORDS = {
    Level.DEBUG: "trace debug fine finer finest verbose silly dbg",
    Level.INFO: "info information informational notice log inf",
    Level.WARNING: "warn warning wrn",
    Level.ERROR: "err error severe",
    Level.CRITICAL: "crit critical fatal panic dpanic alert emerg emergency ftl",
}
_LEVELS = {word: level for level, words in _WORDS.items() for word in words.split()}
_SYSLOG = (Level.CRITICAL, Level.CRITICAL, Level.CRITICAL, Level.ERROR, Level.WARNING, Level.INFO, Level.INFO)
_GLOG = {"I": Level.INFO, "W": Level.WARNING, "E": Level.ERROR, "F": Level.CRITICAL}
_REDIS = {".": Level.DEBUG, "-": Level.INFO, "*": Level.INFO, "#": Level.WARNING}

_JSON = re.compile(r'"(?:level|levelname|log\.level|loglevel|severity|severity_text|lvl)"\s*:\s*"?([A-Za-z]+|\d{1,3})')
_LOGFMT = re.compile(r"(?:^|\s)(?:level|lvl|severity)=\"?([A-Za-z]+)")
_SYSLOG_PREFIX = re.compile(r"<(\d{1,3})>")
_GLOG_PREFIX = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d")
_REDIS_PREFIX = re.compile(r"\d+:[A-Z] \d\d? \w{3} \d{4} [\d:.]+ ([-.*#]) ")
_ACCESS = re.compile(r'" ([1-5])\d\d (?:\d+|-)(?:\s|$)')
"""Of an access log in the combined format, as nginx, Apache and gunicorn write it: the first digit of the status."""
_EXCEPTION = re.compile(r"(?:Uncaught )?[\w.$]*(?:Error|Exception)\b(?::|$| \[)|Exception in thread ")
_TRACEBACK = re.compile(r"\s*(?:Traceback \(most recent call last\):|goroutine \d+ \[)")
_GOES_ON = re.compile(
    r"\s|$|Caused by: |\.\.\. |[)}\]]+[,;]?$|During handling of the above exception|The above exception was the direct"
)
_PUNCTUATION = "[]()<>|:-,;\"'="
_TIME_WORD = re.compile(r"[\d.:,/+TZ-]*\d[\d.:,/+TZ-]*|UTC|GMT|[A-Z][a-z]{2}")


def level_of(text: str) -> Level | None:
    """The level that the line itself tells."""
    if text.startswith("{"):
        found = _JSON.search(text, 0, JSON_LOOKED_AT)
        return _named(found[1]) if found else None
    text = text[:LOOKED_AT]
    if found := _SYSLOG_PREFIX.match(text):
        return _SYSLOG[priority] if (priority := int(found[1]) % 8) < 7 else Level.DEBUG
    if found := _GLOG_PREFIX.match(text):
        return _GLOG[found[1]]
    if found := _REDIS_PREFIX.match(text):
        return _REDIS[found[1]]
    if "=" in text and (found := _LOGFMT.search(text)) and (level := _named(found[1])):
        return level
    return _of_words(text) or _of_a_request(text)


def _of_a_request(text: str) -> Level | None:
    if found := _ACCESS.search(text):
        return {"5": Level.ERROR, "4": Level.WARNING}.get(found[1], Level.INFO)
    return Level.ERROR if _EXCEPTION.match(text) else None


def _of_words(text: str) -> Level | None:
    """In `2026-11-28 08:22:03 - shop - ERROR - text`, `[error]`, `WARNING:root:text` or `error: text`. Of words that
    are no time, one may stand before it: further on it belongs to a sentence."""
    others = 0
    for number, word in enumerate(text.split(None, MOST_WORDS)[:MOST_WORDS]):
        bare = word.strip(_PUNCTUATION)
        named = _LEVELS.get(bare.lower())
        if named and (bare.isupper() or word.startswith("[") or (not number and word.endswith(":"))):
            # PostgreSQL's LOG has a colon; without one, it may be any word.
            return None if bare == "LOG" and not word.endswith(":") else named
        if not number and ":" in word and (first := _LEVELS.get(word.partition(":")[0].lower())):
            return first
        others += bool(bare) and not word.startswith(("[", "(")) and not _TIME_WORD.fullmatch(bare)
        if others > 1:
            return None
    return None


def _named(word: str) -> Level | None:
    if word.isdigit():
        # Bunyan and Pino: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
        number = int(word)
        by_tens = (Level.DEBUG, Level.DEBUG, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.CRITICAL)
        return by_tens[number // 10] if 10 <= number < 70 else None
    return _LEVELS.get(word.lower())


class Levels:
    """The levels of the lines of one log, one after another: a line that goes on with the one before has its level."""

    def __init__(self) -> None:
        self._before: dict[bool, Level | None] = {}
        self._in_traceback: set[bool] = set()

    def of(self, line: LogLine) -> Level | None:
        """The level of the next line."""
        stream, text = line.is_error, line.text
        before = self._before.get(stream)
        level: Level | None
        if _TRACEBACK.match(text):
            self._in_traceback.add(stream)
            level = before if before and before.rank >= Level.ERROR.rank else Level.ERROR
        elif _GOES_ON.match(text):
            level = before
        elif (told := level_of(text)) and not (stream in self._in_traceback and _EXCEPTION.match(text)):
            self._in_traceback.discard(stream)
            level = told
        elif stream in self._in_traceback:
            self._in_traceback.discard(stream)  # what it ends with: ValueError: no such order
            level = before
        else:
            level = None
        self._before[stream] = level
        return level


def reaches(level: Level | None, least: Level) -> bool:
    """Whether a line of this level is at least as serious. One that tells none counts as information."""
    return (level or Level.INFO).rank >= least.rank
