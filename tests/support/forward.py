"""Passes connections on, on this host or in a container's network: what listens on 127.0.0.1 of the one is reached at
127.0.0.1 of the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SCRIPT = """
import asyncio, sys
async def copy(reader, writer):
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
async def main(host, port, to_host, to_port):
    async def accept(reader, writer):
        there, back = await asyncio.open_connection(to_host, int(to_port))
        await asyncio.gather(copy(reader, back), copy(there, writer))
    server = await asyncio.start_server(accept, host, int(port))
    print("listening", flush=True)
    await server.serve_forever()
asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def forwarded(listens: tuple[str, int], to: tuple[str, int], container: str = "") -> Iterator[None]:
    """While it lasts. `container`: in whose network it listens, which has Python; empty: in this host's."""
    where = ["docker", "exec", container, "python3"] if container else [sys.executable]
    words = [str(word) for word in (*listens, *to)]
    process = subprocess.Popen([*where, "-c", SCRIPT, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "listening\n", "the port is taken"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
