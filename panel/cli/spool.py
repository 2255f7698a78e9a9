"""What has come and is not written yet: in memory, and beyond that in temporary files without a name."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

IN_MEMORY = 8 * 2**20
MOST = 2**30
"""So many bytes wait at most, for a reader that pauses."""
SEGMENT = 64 * 2**20
"""A file is closed, and its room given back, when so many bytes of it were written and read."""


@dataclass
class _Segment:
    file: IO[bytes]
    size: int = 0
    read: int = 0


@dataclass(frozen=True)
class _Stored:
    """A chunk that is in the first segment that is not read to its end."""

    size: int


class Spool:
    """Chunks, each for one of the streams 1 and 2, in their order. One thread puts them in, another one takes them."""

    def __init__(self, in_memory: int = IN_MEMORY, most: int = MOST, segment: int = SEGMENT) -> None:
        self._in_memory = in_memory
        self._most = most
        self._most_of_segment = segment
        self._chunks: deque[tuple[int, bytes | _Stored]] = deque()
        self._segments: deque[_Segment] = deque()
        self._waiting = 0
        self._kept = 0
        self._changed = threading.Condition()
        self._is_closed = False

    def put(self, stream: int, content: bytes) -> bool:
        """False, and nothing is put in, if there is no room for it: then as much waits as may, or the disk is full.

        There is always room for one chunk.
        """
        with self._changed:
            if self._waiting and self._waiting + len(content) > self._most:
                return False
            in_memory = not self._waiting or self._kept + len(content) <= self._in_memory
            stored = content if in_memory else self._stored(content)
            if stored is None:
                return False
            self._chunks.append((stream, stored))
            self._waiting += len(content)
            self._kept += len(content) if in_memory else 0
            self._changed.notify()
            return True

    def take(self) -> tuple[int, bytes] | None:
        """The next chunk, as soon as there is one; None after the last one. Raises OSError when it cannot be read."""
        with self._changed:
            while not self._chunks:
                if self._is_closed:
                    return None
                self._changed.wait()
            stream, stored = self._chunks.popleft()
            if isinstance(stored, bytes):
                self._kept -= len(stored)
                content = stored
            else:
                content = self._read(stored.size)
            self._waiting -= len(content)
            return stream, content

    def close(self) -> None:
        """Nothing more is put in."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _stored(self, content: bytes) -> _Stored | None:
        """None when the disk takes no more of it."""
        try:
            if not self._segments or self._segments[-1].size >= self._most_of_segment:
                self._segments.append(_Segment(TemporaryFile(buffering=0)))  # noqa: SIM115 (closed when it is read)
            last = self._segments[-1]
            left, at = memoryview(content), last.size
            while left:
                last.file.seek(at)
                written = last.file.write(left)
                left, at = left[written:], at + written
        except OSError:
            return None
        last.size = at
        return _Stored(len(content))

    def _read(self, size: int) -> bytes:
        first = self._segments[0]
        if first.read >= first.size:
            self._segments.popleft().file.close()
            first = self._segments[0]
        content = b""
        while len(content) < size:
            first.file.seek(first.read)
            part = first.file.read(size - len(content))
            if not part:
                raise OSError("the temporary file of the output was cut")
            content += part
            first.read += len(part)
        if first.read >= first.size and first.size >= self._most_of_segment:
            with suppress(OSError):
                first.file.close()
            self._segments.popleft()
        return content
