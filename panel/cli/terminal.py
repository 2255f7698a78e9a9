"""A person's own terminal at a one-off command: keys go to it as they are typed, what it shows comes as it is."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager

import typer

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.one_off import Piece

CHUNK = 4096
MOST_SENT = 8192
"""So many bytes are sent by one request at most: what is pasted is longer than a key."""
TERMINATED = 128 + signal.SIGTERM


def is_one() -> bool:
    """Whether a person sits at both ends of this command."""
    return sys.stdin.isatty() and sys.stdout.isatty()


async def carry_out(
    client: Client, app: str, place: str, command: Sequence[str], env: Mapping[str, str], timeout_s: float
) -> Piece | None:
    """Run a command at this terminal. Returns its last piece, which has its exit code; None if there was none.

    Raises a ClientError.
    """
    typed: asyncio.Queue[bytes | None] = asyncio.Queue(1000)
    loop, keyboard = asyncio.get_running_loop(), sys.stdin.fileno()
    last, sending = None, None
    with set_back(keyboard), _ends_on_sigterm():
        _let_keys_wait(keyboard)
        try:
            asked = client.one_off(app, place, command, env, timeout_s, window=_window())
            async with aclosing(asked) as pieces:
                async for piece in pieces:
                    if piece.terminal:
                        tty.setraw(keyboard, termios.TCSADRAIN)
                        sending = asyncio.create_task(_send(client, app, piece.terminal, typed))
                        loop.add_reader(keyboard, _read, keyboard, typed)
                        loop.add_signal_handler(signal.SIGWINCH, _put, typed, None)
                    if piece.output:
                        _write(piece.output)
                    if piece.line is not None:
                        _write(piece.line.encode() + b"\r\n")
                    last = piece
        finally:
            loop.remove_reader(keyboard)
            loop.remove_signal_handler(signal.SIGWINCH)
            if sending:
                sending.cancel()
                await asyncio.wait([sending])
    return last if last and last.exit_code is not None else None


@contextmanager
def set_back(keyboard: int) -> Iterator[None]:
    """At the end the terminal is as it was before.

    What is left of the input is dropped then: it may be the terminal's own answer to what the command has shown, and
    the shell, which reads next, would take it for keys.
    """
    before = termios.tcgetattr(keyboard)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)


def _let_keys_wait(keyboard: int) -> None:
    """Until the command has the terminal: it gets them as they were pressed, and shows them. Ctrl-C is for this process
    until then, which may wait for an orchestrator that does not answer."""
    tty.setcbreak(keyboard)
    mode = termios.tcgetattr(keyboard)
    mode[0] &= ~termios.ICRNL
    termios.tcsetattr(keyboard, termios.TCSANOW, mode)


@contextmanager
def _ends_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the task that runs this as any error does, with the shell's exit code for it: by itself it would
    end the process at once, and leave the terminal without echo."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    asked = False

    def end() -> None:
        nonlocal asked
        asked = True
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        yield
    except asyncio.CancelledError:
        if not asked:
            raise
        raise typer.Exit(TERMINATED) from None
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def _window() -> tuple[int, int]:
    size = os.get_terminal_size(sys.stdout.fileno())
    return max(1, min(size.columns, 1000)), max(1, min(size.lines, 1000))


def _read(keyboard: int, typed: asyncio.Queue[bytes | None]) -> None:
    _put(typed, os.read(keyboard, CHUNK))


def _put(typed: asyncio.Queue[bytes | None], keys: bytes | None) -> None:
    """None: the window has another size."""
    if not typed.full():
        typed.put_nowait(keys)


async def _send(client: Client, app: str, terminal: str, typed: asyncio.Queue[bytes | None]) -> None:
    """What is typed, in its order. A key that cannot be sent is lost, as on any line; the stream tells why it ends."""
    while True:
        keys = await typed.get()
        try:
            if keys is None:
                await client.resize(app, terminal, _window())
                continue
            for start in range(0, len(keys), MOST_SENT):
                await client.type_keys(app, terminal, keys[start : start + MOST_SENT])
        except ClientError as error:
            _write(f"\r\n{error.cause}\r\n".encode())


def _write(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
