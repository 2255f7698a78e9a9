"""The log of a repository as it arrives: whoever commits decides how long a message is, and how many of them are."""

from __future__ import annotations

from orchestrator.sources.changelog import Commit

FORMAT = "--format=%H%x00%B%x01"
MOST_OF_MESSAGE = 10_000
"""Characters of a commit's message that are read."""
_MOST_BYTES = 4 * 2 * MOST_OF_MESSAGE
"""Of one commit. More is read than is kept, so that no half of a secret stays at the end."""


class CommitLog:
    """Takes what `git log` prints in FORMAT, in pieces of any length, and keeps the beginning of each message."""

    def __init__(self) -> None:
        self._ended: list[bytes] = []
        self._part = bytearray()

    def feed(self, chunk: bytes) -> None:
        first, *others = chunk.split(b"\x01")
        self._part += first[: _MOST_BYTES - len(self._part)]
        for other in others:
            self._ended.append(bytes(self._part))
            self._part = bytearray(other[:_MOST_BYTES])

    def commits(self) -> list[Commit]:
        """The newest first. Takes a while for many long messages: for a thread."""
        texts = (one.decode(errors="replace").strip("\n") for one in self._ended if b"\0" in one)
        pairs = (text.split("\0", 1) for text in texts)
        return [Commit(revision, message[: 2 * MOST_OF_MESSAGE]) for revision, message in pairs]
