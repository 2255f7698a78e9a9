"""A crowd of new connections at a real process of the panel's web server: what memory it takes, and what stays.

Run it alone: `python -m bench.crowd [connections a second] [seconds]`. Each connection sends one request, reads its
answer, and is left open.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.hostile import QUIET_S, START_WITHIN_S, allocator, ask, memory_mb
from tests.support.addresses import free_port
from tests.support.paths import ROOT

LOOK_EVERY_S = 0.5
REQUEST = b"GET /sign-in HTTP/1.1\r\nHost: panel.test\r\n\r\n"
CLOSING = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


@contextmanager
def panel() -> Iterator[tuple[int, int]]:
    """Its process id and its port. It has no orchestrator, and its readiness is not asked."""
    with tempfile.TemporaryDirectory() as folder:
        port, home = free_port(), Path(folder)
        settings = {
            "PANEL_DATABASE_URL": f"sqlite:///{home / 'panel.db'}", "PANEL_HOST": "127.0.0.1", "PANEL_PORT": str(port),
            "CHANGEOVER_URL": "http://127.0.0.1:1",
        }  # fmt: skip
        environment = os.environ | allocator() | settings
        log = (home / "log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "panel.web"], env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            until = time.monotonic() + START_WITHIN_S
            while asyncio.run(ask(port, CLOSING)) != "200":
                assert time.monotonic() < until, (home / "log").read_text()
                time.sleep(0.2)
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(30)


async def crowd(process: int, port: int, a_second: int, seconds: int) -> None:
    answers: Counter[str] = Counter()
    kept: list[asyncio.StreamWriter] = []
    most = memory_mb(process)

    async def one() -> None:
        try:
            async with asyncio.timeout(30):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                kept.append(writer)
                writer.write(REQUEST)
                first = await reader.readline()
                answers[first.split()[1].decode() if first else "closed"] += 1
        except (OSError, TimeoutError) as error:
            answers[type(error).__name__] += 1

    async def look() -> None:
        nonlocal most
        while True:
            most = max(most, memory_mb(process))
            await asyncio.sleep(LOOK_EVERY_S)

    looking = asyncio.create_task(look())
    began = time.monotonic()
    asking: set[asyncio.Task[None]] = set()
    for number in range(a_second * seconds):
        task = asyncio.create_task(one())
        asking.add(task)
        task.add_done_callback(asking.discard)
        if number % 10 == 9:
            await asyncio.sleep(max(0.0, began + number / a_second - time.monotonic()))
    if asking:
        await asyncio.wait(asking)
    took = time.monotonic() - began
    print(
        f"{a_second * seconds} connections, {a_second * seconds / took:.0f} a second: {dict(sorted(answers.items()))}"
    )
    print(f"most: {most:.1f} MB", flush=True)
    looking.cancel()
    for writer in kept:
        with suppress(OSError):
            writer.close()


def main(a_second: int, seconds: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with panel() as (process, port):
        print(f"at rest: {memory_mb(process):.1f} MB")
        for _ in range(3):
            asyncio.run(crowd(process, port, a_second, seconds))
            time.sleep(QUIET_S)
            print(f"after {QUIET_S} s of quiet: {memory_mb(process):.1f} MB", flush=True)


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    main(*(given or (1300, 10)))
