"""Child processes: started, read, and ended for certain, whatever happens to the task that waits for them."""

from __future__ import annotations

import asyncio
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
    """How a process ended: its exit code, and what it wrote, at most MOST_OUTPUT_BYTES of each."""

    exit_code: int
    out: bytes
    err: bytes


async def run(
    *command: str,
    env: Mapping[str, str],
    timeout_s: float,
    on_chunk: Callable[[bytes], None] | None = None,
) -> Ended:
    """Run a command to its end, without input. With `on_chunk` standard error is part of the output and is not kept.

    When the task is cancelled or `timeout_s` seconds have passed, the process and its children are ended before this
    returns: they get SIGTERM, and SIGKILL after TERMINATE_WITHIN_S. Raises TimeoutError, or OSError when the command
    cannot be started.
    """
    # Cancelled in the middle of starting, nobody would know the process.
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            env={**inherited(os.environ), **env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if on_chunk else asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    )
    try:
        process = await to_its_end(starting)
    except asyncio.CancelledError:
        if starting.exception() is None:
            await to_its_end(_end(starting.result()))
        raise
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await asyncio.gather(_read(process.stdout, on_chunk), _read(process.stderr, None))
            return Ended(await process.wait(), out, err)
    except BaseException:
        await to_its_end(_end(process))
        raise


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if INHERITED.fullmatch(name)}


async def _read(stream: asyncio.StreamReader | None, on_chunk: Callable[[bytes], None] | None) -> bytes:
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(CHUNK)):
        if on_chunk:
            on_chunk(chunk)
        elif len(kept) < MOST_OUTPUT_BYTES:
            kept += chunk
    return bytes(kept)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Gently, then firmly. The children that a process started are of its group, and get the same signals: the second
    one also when the process itself ended at the first."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(TERMINATE_WITHIN_S):
            await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
