"""Starts the command of a package, and makes it reachable if it listens on 127.0.0.1 alone.

Most servers do so when nothing else is said, and then nobody outside of their container reaches them. This process
becomes the command; a child of it waits until the command listens on CHANGEOVER_PORT, and passes connections on from
the container's own addresses to 127.0.0.1, or ends if that is not needed. Standard library only.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

LISTENS = "0A"
LOOK_S = 0.05
PIECE = 64 * 1024
LOOPBACK = {"0100007F": "127.0.0.1", "00000000000000000000000001000000": "::1"}
"""As the kernel writes them (proc(5), /proc/net/tcp)."""


def main() -> None:
    command, port = sys.argv[1:], os.environ.get("CHANGEOVER_PORT", "")
    if port and os.fork() == 0:
        asyncio.run(relay(int(port)))
        return
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


async def relay(port: int) -> None:
    """Wait until the command listens. Return if others reach it; else pass connections on."""
    while not (addresses := listening(port)):  # noqa: ASYNC110  # the kernel has no event for it
        await asyncio.sleep(LOOK_S)
    if any(address not in LOOPBACK for address in addresses):
        return
    inside = LOOPBACK[addresses[0]]
    # Once a client has ended its direction, asyncio holds no task that waits for the answer: it would be collected.
    tasks = set[asyncio.Task[object] | None]()

    async def held(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        tasks.add(task)
        try:
            await pass_on(reader, writer)
        finally:
            tasks.discard(task)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_reader, to_writer = await asyncio.open_connection(inside, port)
        except OSError:
            writer.transport.abort()  # refused, as the command would
            return
        await asyncio.gather(copy(reader, to_writer), copy(to_reader, writer))
        for end in (writer, to_writer):
            end.close()

    async with await asyncio.start_server(held, own_addresses(), port, backlog=4096) as server:
        await server.serve_forever()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Each end closes for itself: who has sent all may still wait for an answer."""
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except (OSError, RuntimeError):
        writer.transport.abort()


def own_addresses() -> list[str]:
    """The container's addresses, one in each of its networks."""
    found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in found if not str(address[0]).startswith(("127.", "::1"))})


def listening(port: int) -> list[str]:
    """The addresses on which somebody listens at the port, as the kernel writes them."""
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, at = local.partition(":")
            if state == LISTENS and int(at, 16) == port:
                found.append(address)
    return found


if __name__ == "__main__":
    main()
