"""Child processes: started, read, and ended for certain, whatever happens to the task that waits for them."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.host.uninterrupted import to_its_end

TERMINATE_WITHIN_S = 5.0
"""How long a process that is asked to end may take before it is killed, in seconds."""
MOST_OUTPUT_BYTES = 64 * 2**20
CHUNK = 64 * 1024
INHERITED = re.compile(
    r"PATH|HOME|USER|TZ|TMPDIR|LANG|LC_\w+|XDG_\w+|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|(DOCKER|BUILDX|BUILDKIT)_\w+"
    r"|(https?|no|all)_proxy|(HTTPS?|NO|ALL)_PROXY"
)
"""The variables of the orchestrator that its children get. They get neither its secrets (CHANGEOVER_DATABASE_URL) nor
what would change how they work (GIT_DIR, GIT_SSH)."""


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, and what it wrote, of standard error the first MOST_OUTPUT_BYTES."""

    exit_code: int
    out: bytes
    err: bytes


class OutputTooLong(OSError):
    """A process wrote more than MOST_OUTPUT_BYTES: a part of what it said could mean something else."""

    def __init__(self) -> None:
        super().__init__(errno.EFBIG, f"it wrote more than {MOST_OUTPUT_BYTES // 2**20} MiB, which is not read")


async def run(
    *command: str,
    env: Mapping[str, str],
    timeout_s: float,
    on_chunk: Callable[[bytes], None] | None = None,
    on_out: Callable[[bytes], None] | None = None,
    terminate_within_s: float = TERMINATE_WITHIN_S,
    given: bytes | None = None,
) -> Ended:
    """Run a command to its end. With `on_chunk` standard error is part of the output and is not kept. `given` is its
    standard input; without it, there is none.
    `on_out` gets the standard output alone, of any length, and standard error is kept.

    When the task is cancelled or `timeout_s` seconds have passed, the process and its children are ended before this
    returns: they get SIGTERM, and SIGKILL after `terminate_within_s` seconds; what they print meanwhile is dropped.
    Raises TimeoutError, OSError when the command cannot be started, or OutputTooLong; then it is ended as well.
    """
    # Cancelled in the middle of starting, nobody would know the process.
    starting = asyncio.ensure_future(_start(*command, env=env, err_apart=on_chunk is None, has_input=given is not None))
    try:
        child = await to_its_end(starting)
    except asyncio.CancelledError:
        if starting.exception() is None:
            await to_its_end(_end(starting.result(), terminate_within_s))
        raise
    process = child.process
    try:
        async with asyncio.timeout(timeout_s):
            both = _read_both(process, on_chunk or on_out)
            (out, err), _ = await asyncio.gather(both, _write(process.stdin, given))
            return Ended(await process.wait(), out, err)
    except BaseException:
        await to_its_end(_end(child, terminate_within_s))
        raise


@dataclass(frozen=True)
class _Child:
    """A process, and the transport by which its pipes are closed."""

    process: asyncio.subprocess.Process
    transport: asyncio.SubprocessTransport


async def _start(*command: str, env: Mapping[str, str], err_apart: bool, has_input: bool) -> _Child:
    """As asyncio.create_subprocess_exec, which does not give the transport."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.subprocess_exec(
        lambda: asyncio.subprocess.SubprocessStreamProtocol(limit=CHUNK, loop=loop),
        *command,
        env={**inherited(os.environ), **env},
        stdin=asyncio.subprocess.PIPE if has_input else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE if err_apart else asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    return _Child(asyncio.subprocess.Process(transport, protocol, loop), transport)


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if INHERITED.fullmatch(name)}


async def _read_both(
    process: asyncio.subprocess.Process, on_chunk: Callable[[bytes], None] | None
) -> tuple[bytes, bytes]:
    """Standard output and standard error to their ends. Raises OutputTooLong; nobody reads then."""
    errors = asyncio.ensure_future(_read(process.stderr, None))
    try:
        out, err = await asyncio.gather(_read(process.stdout, on_chunk, refuse_longer=on_chunk is None), errors)
        return out, err
    except OutputTooLong:
        errors.cancel()
        await asyncio.wait([errors])
        raise


async def _read(
    stream: asyncio.StreamReader | None, on_chunk: Callable[[bytes], None] | None, *, refuse_longer: bool = False
) -> bytes:
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(CHUNK)):
        if on_chunk:
            on_chunk(chunk)
        elif len(kept) + len(chunk) <= MOST_OUTPUT_BYTES:
            kept += chunk
        elif refuse_longer:
            raise OutputTooLong
    return bytes(kept)


async def _write(stream: asyncio.StreamWriter | None, given: bytes | None) -> None:
    """A process that reads nothing of it, or not all, is no error: its exit code says what it did."""
    if stream is None or given is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):
        stream.write(given)
        await stream.drain()
    stream.close()


async def _end(child: _Child, terminate_within_s: float) -> None:
    """Gently, then firmly. The children that a process started are of its group, and get the same signals: the second
    one also when the process itself ended at the first.

    asyncio reports the end of a process when its pipes are at their end, too. So they are read until the second signal,
    without which a process that prints could not end gently either, and closed after it: a full one that nobody reads,
    or one that a process of another group holds open, never comes to its end.
    """
    process = child.process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(terminate_within_s):
            await asyncio.gather(_drop(process.stdout), _drop(process.stderr), process.wait())
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for descriptor in (0, 1, 2):
        if pipe := child.transport.get_pipe_transport(descriptor):
            pipe.close()
    await process.wait()


async def _drop(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(CHUNK):
        continue
