"""What a command in a container is connected to: a person's terminal with its window, or a pipe that takes bytes."""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.errors import Refused

MOST_TYPED = 1000
"""So many pieces of what was typed wait for a command that reads nothing."""


@dataclass(frozen=True)
class Size:
    """Of the window, in characters."""

    columns: int
    rows: int


class Terminal:
    """Between the event loop, on which a person types, and a thread of the engine, which moves the bytes.

    `show` is called in that thread with what the command writes, as it is; it may block while the person's connection
    is slow, until `let_go` is called: the command is being ended, and nothing waits for its reader any more.
    """

    def __init__(self, size: Size, show: Callable[[bytes], None], let_go: Callable[[], None] = lambda: None) -> None:
        self.size = size
        self.show = show
        self.let_go = let_go
        self.typed: queue.Queue[bytes | Size | None] = queue.Queue(MOST_TYPED)
        """Keys, and new sizes of the window, in their order; None at the end."""

    def type(self, keys: bytes | Size) -> None:
        """Raises Refused when the command has not read what was typed before."""
        try:
            self.typed.put_nowait(keys)
        except queue.Full as error:
            raise Refused("The command reads nothing of what is typed.", "Wait, or end it.") from error

    def hang_up(self) -> None:
        """Nobody types any more."""
        while True:
            try:
                self.typed.put_nowait(None)
                return
            except queue.Full:
                with suppress(queue.Empty):
                    self.typed.get_nowait()


@dataclass(frozen=True)
class Pipe:
    """Takes what a process writes to its standard output, byte for byte; its standard error comes as lines.

    `show` and `let_go` as those of a Terminal. `content`: what the process reads from its standard input, if anything.
    """

    content: bytes | None
    show: Callable[[bytes], None]
    let_go: Callable[[], None] = lambda: None


Input = bytes | Terminal | Pipe | None
"""What a process reads from its standard input: these bytes; or a terminal or a pipe, which take its output, too; or
nothing."""


def content_of(stdin: Input) -> bytes | None:
    """The bytes that the process reads, where they are known before it starts; None if there are none."""
    if isinstance(stdin, Pipe):
        return stdin.content
    return stdin if isinstance(stdin, bytes) else None


def has_input(stdin: Input) -> bool:
    return isinstance(stdin, Terminal) or content_of(stdin) is not None


def let_go(stdin: Input) -> None:
    """The process is being ended: nobody waits any more for the reader of what it writes, if it has one."""
    if isinstance(stdin, Terminal | Pipe):
        stdin.let_go()
