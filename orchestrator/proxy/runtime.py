"""HAProxy's runtime API, over its UNIX sockets (HAProxy 3.0 management guide, sections 9.3 and 9.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import ProxyError

ANSWER_TIMEOUT_S = 5.0
RELOAD_TIMEOUT_S = 30.0
LONGEST_COMMANDS = 8000
"""Bytes that are sent at once: HAProxy takes what fits into one buffer (tune.bufsize, 16 kB)."""


@dataclass(frozen=True)
class Worker:
    """One worker process of HAProxy.

    One from before a reload is reached through the master by its `pid`. It takes the requests of connections that it
    has already, and changes of maps; what changes servers it answers with "Proxy is disabled.".
    """

    socket: Path
    pid: int | None = None

    @property
    def current(self) -> bool:
        return self.pid is None

    async def ask(self, command: str) -> str:
        prefix = "" if self.current else f"@!{self.pid} "
        return await _exchange(self.socket, prefix + command, ANSWER_TIMEOUT_S)

    async def ask_all(self, commands: Iterable[str]) -> str:
        """Several commands in their order, in as few exchanges as can be; all answers, without empty lines."""
        # The master takes a semicolon for the end of what goes to the worker.
        batches = _batches(commands) if self.current else commands
        answers = [await self.ask(batch) for batch in batches]
        return "\n".join(line for answer in answers for line in answer.splitlines() if line.strip())

    async def tell(self, command: str) -> None:
        """Say a command that answers with nothing when it is done. Raises ProxyError with whatever it says else."""
        answer = (await self.ask(command)).strip()
        if answer:
            raise ProxyError(f"HAProxy refused '{command}': {answer}.")


class Runtime:
    """One HAProxy in master-worker mode. A connection a command: HAProxy closes it when it has answered."""

    def __init__(self, folder: Path) -> None:
        self._master = folder / "master.sock"
        self.worker = Worker(folder / "admin.sock")

    async def workers(self) -> list[Worker]:
        """The current one first; then those from before the last reloads that still have connections."""
        listing = await _exchange(self._master, "show proc", ANSWER_TIMEOUT_S)
        _, _, old = listing.partition("# old workers")
        rows = (line.split() for line in old.splitlines()[1:])
        pids = [int(row[0]) for row in rows if len(row) > 1 and row[0].isdigit() and row[1] == "worker"]
        return [self.worker, *(Worker(self._master, pid) for pid in pids)]

    async def about(self) -> dict[str, str]:
        """What `show info` says of the current worker: Version, Pid, description and more."""
        rows = (line.partition(": ") for line in (await self.worker.ask("show info")).splitlines())
        return {name: value for name, colon, value in rows if colon}

    async def backends(self) -> set[str]:
        """The backends that the current worker has."""
        return {line for line in (await self.worker.ask("show backend")).splitlines() if line and line[0] != "#"}

    async def reload(self) -> None:
        """Start a worker with the file as it is now; the old one goes when its connections have ended.

        Raises ProxyError with HAProxy's own words when the file is not accepted; the old worker then stays.
        """
        answer = await _exchange(self._master, "reload", RELOAD_TIMEOUT_S)
        if "Success=1" not in answer:
            raise ProxyError(f"HAProxy did not take its new configuration: {answer.strip()}.")


def _batches(commands: Iterable[str]) -> Iterator[str]:
    batch = ""
    for command in commands:
        if batch and len(batch) + len(command) > LONGEST_COMMANDS:
            yield batch
            batch = ""
        batch = f"{batch};{command}" if batch else command
    if batch:
        yield batch


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
