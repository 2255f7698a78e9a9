"""HAProxy's runtime API, over its UNIX sockets (HAProxy 3.0 management guide, sections 9.3 and 9.4)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from orchestrator.errors import ProxyError

ANSWER_TIMEOUT_S = 5.0
RELOAD_TIMEOUT_S = 30.0


class Runtime:
    """One HAProxy in master-worker mode. A connection a command: HAProxy closes it when it has answered."""

    def __init__(self, folder: Path) -> None:
        self._worker = folder / "admin.sock"
        self._master = folder / "master.sock"

    async def ask(self, command: str) -> str:
        """Say one command, or several parted by semicolons, to the current worker."""
        return await self._exchange(self._worker, command, ANSWER_TIMEOUT_S)

    async def tell(self, command: str) -> None:
        """Say a command that answers with nothing when it is done. Raises ProxyError with whatever it says else."""
        answer = (await self.ask(command)).strip()
        if answer:
            raise ProxyError(f"HAProxy refused '{command}': {answer}.")

    async def old_workers(self) -> list[int]:
        """Workers of before the last reloads that still have connections."""
        listing = await self._exchange(self._master, "show proc", ANSWER_TIMEOUT_S)
        _, _, old = listing.partition("# old workers")
        rows = (line.split() for line in old.splitlines()[1:])
        return [int(row[0]) for row in rows if len(row) > 1 and row[0].isdigit() and row[1] == "worker"]

    async def ask_old_worker(self, pid: int, command: str) -> str:
        return await self._exchange(self._master, f"@!{pid} {command}", ANSWER_TIMEOUT_S)

    async def reload(self) -> None:
        """Start a worker with the file as it is now; the old one goes when its connections have ended.

        Raises ProxyError with HAProxy's own words when the file is not accepted; the old worker then stays.
        """
        answer = await self._exchange(self._master, "reload", RELOAD_TIMEOUT_S)
        if "Success=1" not in answer:
            raise ProxyError(f"HAProxy did not take its new configuration: {answer.strip()}.")

    @staticmethod
    async def _exchange(socket: Path, command: str, timeout_s: float) -> str:
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_unix_connection(socket)
                try:
                    writer.write(command.encode() + b"\n")
                    await writer.drain()
                    # The master goes on listening for commands until it is told that there are no more.
                    writer.write_eof()
                    return (await reader.read()).decode(errors="replace")
                finally:
                    writer.close()
        except (OSError, TimeoutError) as error:
            why = "in time" if isinstance(error, TimeoutError) else f"({error.strerror or error})"
            raise ProxyError(
                f"The proxy does not answer on {socket.name} {why}.",
                "See that its container runs: docker compose ps proxy, docker compose logs proxy.",
            ) from error
