"""`python -m orchestrator.engine.relay`: passes connections on to the engine's socket.

A restarted engine makes a new socket: whoever has mounted the old one alone has lost the engine, and whoever mounts its
folder has mounted all of the host's /var/run. So this process alone has the socket mounted, and ends when nobody
answers there; the engine starts it again, with the new socket. The orchestrator mounts the folder of its own socket.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

ENGINE = Path("/engine.sock")
OWN = Path("/run/engine/docker.sock")
CHUNK = 256 * 1024


class EngineAway(Exception):
    """Nobody answers at the engine's socket."""


class Relay:
    """Passes both directions of each connection on, until both have ended. `away` is set when the engine is away.

    It holds the task of each connection itself. asyncio does not once the client has ended its direction: a task that
    waited for the engine then, as that of a command with `--stdin`, was collected as garbage, and its answer cut off.
    """

    def __init__(self, engine: Path) -> None:
        self._engine = engine
        self._tasks: set[asyncio.Task[object] | None] = set()
        self.away = asyncio.Event()

    async def serve(self, own: Path) -> None:
        """Serve until the engine is away. Raises EngineAway."""
        own.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._held, own, limit=CHUNK)
        # Only root may use it, as it may use the engine's own.
        own.chmod(0o600)
        await self.away.wait()
        # Connections to the engine that is gone may never end; nobody waits for them.
        server.close()
        raise EngineAway(f"Nobody answers at {self._engine}.")

    async def _held(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._connected(reader, writer)
        finally:
            self._tasks.discard(task)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            engine_reader, engine_writer = await asyncio.open_unix_connection(self._engine, limit=CHUNK)
        except OSError:
            writer.close()
            self.away.set()
            return
        try:
            await asyncio.gather(_pass_on(reader, engine_writer), _pass_on(engine_reader, writer))
        finally:
            writer.close()
            engine_writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction. Its end is passed on, too: the other one may go on (docker attach)."""
    try:
        while content := await reader.read(CHUNK):
            writer.write(content)
            await writer.drain()
        writer.write_eof()
    except OSError:
        # Who does not listen any more must not keep the other one talking: the end of this connection ends the other
        # direction, and then both are closed.
        writer.transport.abort()


def main() -> int:
    os.umask(0o077)
    try:
        asyncio.run(Relay(ENGINE).serve(OWN))
    except EngineAway as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
