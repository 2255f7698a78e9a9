"""The last lines of several logs as one, in the order of their moments, within limits."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from orchestrator.clock import elapsed
from orchestrator.domain.counted import counted
from orchestrator.domain.log_line import LogLine, LogRange, moment_text
from orchestrator.engine.base import Engine
from orchestrator.journal.store import Journal
from orchestrator.logs.kept import KeptLogs
from orchestrator.logs.origins import Origin, Place
from orchestrator.logs.search import Sieve, Wanted, matching

SEARCHED = (5_000, 50_000)
"""So many last lines of a log are searched, and then so many, where fewer than asked for were found."""
WITHIN_S = 15.0
"""For all logs of one answer; the rest is left out."""
MOST_CHARACTERS = 4 * 2**20
"""Of one answer."""


@dataclass(frozen=True)
class Said:
    """A line, and what has printed it."""

    origin: Origin
    line: LogLine


@dataclass(frozen=True)
class Found:
    """The lines in the order of their moments. `left_out` are sentences about what is missing. `last_at`: by container
    on the engine, when the last line was written of those that were looked at."""

    said: list[Said]
    left_out: tuple[str, ...]
    last_at: dict[str, str]


@dataclass(frozen=True)
class Logs:
    """What logs are read from."""

    engine: Engine
    journal: Journal
    kept: KeptLogs
    turn: Callable[[], AbstractAsyncContextManager[None]]
    """Few read or search at the same time: a log may have 30 MB."""

    async def read(self, origins: Sequence[Origin], wanted: Wanted, span: LogRange) -> Found:
        """The last `span.tail` lines that are wanted. Raises EngineError, JournalError or InvalidSearch."""
        async with self.turn():
            return await self._read(origins, wanted, span)

    async def _read(self, origins: Sequence[Origin], wanted: Wanted, span: LogRange) -> Found:
        began, said, notes, last_at = elapsed(), list[Said](), list[str](), dict[str, str]()
        # Those that are written first, then what has ended last: what has ended long ago need not be opened.
        for origin in sorted(origins, key=lambda one: one.last_at or "~", reverse=True):
            if origin.last_at and len(said) >= span.tail and origin.last_at < said[0].line.at:
                continue
            if origin.last_at and span.since and origin.last_at < span.since:
                continue
            if elapsed() - began > WITHIN_S:
                notes.append(f"{origin.name} and others were not read: the logs took longer than {WITHIN_S:g} s")
                break
            found = await self._of(origin, wanted, span)
            last_at[origin.name] = found.last_at
            notes += [f"{origin.name}: {says}" for says in found.left_out]
            said = merged(said, [Said(origin, line) for line in with_moments(found.lines)])[-span.tail :]
        said, cut = _limited(said)
        return Found(said, (*notes, *cut), last_at)

    async def _of(self, origin: Origin, wanted: Wanted, span: LogRange) -> _Part:
        if origin.place is Place.STEPS:
            return await self._steps(origin, wanted, span)
        if origin.file:
            return await self._kept(origin, wanted, span)
        part = _Part(())
        windows = (span.tail,) if wanted.is_all else SEARCHED
        for window in windows:
            most = window if wanted.is_regex else span.tail
            read = await self.engine.log_part(origin.name, replace(span, tail=window), Sieve(wanted), most)
            lines = (await matching(wanted, read.lines))[-span.tail :]
            missing: tuple[str, ...] = (read.left_out,) if read.left_out else ()
            if not wanted.is_all and read.looked_at >= window and len(lines) < span.tail:
                missing += (f"only its last {window:,} lines were searched",)
            part = _Part(tuple(lines), missing, read.last_at)
            if len(lines) >= span.tail or read.looked_at < window:
                break
        return part

    async def _kept(self, origin: Origin, wanted: Wanted, span: LogRange) -> _Part:
        file = origin.file
        assert file is not None, "the caller has looked"

        def choose() -> tuple[tuple[LogLine, ...], bool]:
            sieve, total = Sieve(wanted), 0
            lines: deque[LogLine] = deque(maxlen=SEARCHED[-1] if wanted.is_regex else span.tail)
            for line in self.kept.lines(file):
                if (found := sieve(line)) and _is_within(line, span):
                    lines.append(found)
                    total += 1
            return tuple(lines), total == len(lines)

        lines, is_whole = await asyncio.to_thread(choose)
        missing = (origin.left_out,) if origin.left_out and is_whole and not span.since else ()
        return _Part(tuple((await matching(wanted, lines))[-span.tail :]), missing)

    async def _steps(self, origin: Origin, wanted: Wanted, span: LogRange) -> _Part:
        most = span.tail if wanted.is_all else SEARCHED[0]
        events = await self.journal.beside(self.journal.output, [origin.deployment], most)
        written = [LogLine(moment_text(one.at), str(one.fields.get("line", ""))) for one in events]
        sieve = Sieve(wanted)
        lines = [found for line in written if (found := sieve(line)) and _is_within(line, span)]
        return _Part(tuple((await matching(wanted, lines))[-span.tail :]))


@dataclass(frozen=True)
class _Part:
    lines: tuple[LogLine, ...]
    left_out: tuple[str, ...] = ()
    last_at: str = ""


def merged(one: Sequence[Said], other: Sequence[Said]) -> list[Said]:
    """Both in the order of their moments; lines of one log stay in the order in which they were written."""
    return list(heapq.merge(one, other, key=lambda said: said.line.at))


def with_moments(lines: Iterable[LogLine]) -> Iterable[LogLine]:
    """Each with a moment that is not before that of the line before: the clock may have been set back meanwhile, or the
    moment is not known."""
    last = ""
    for line in lines:
        last = max(last, line.at)
        yield line if line.at == last else replace(line, at=last)


def _is_within(line: LogLine, span: LogRange) -> bool:
    return (not span.since or line.at >= span.since) and (not span.until or line.at <= span.until)


def _limited(said: list[Said]) -> tuple[list[Said], tuple[str, ...]]:
    size = first = 0
    for first in range(len(said), 0, -1):
        size += len(said[first - 1].line.text)
        if size > MOST_CHARACTERS:
            break
    else:
        return said, ()
    return said[first:], (
        f"{counted(first, 'line')} before these left out: an answer has {MOST_CHARACTERS // 2**20} MB",
    )
