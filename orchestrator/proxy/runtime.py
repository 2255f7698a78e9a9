"""HAProxy's runtime API, over its UNIX sockets (HAProxy 3.0 management guide, sections 9.3 and 9.4)."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.errors import ProxyError
from orchestrator.proxy.retry import retrying
from orchestrator.proxy.worker_end import Tell, WorkerEnd

ANSWER_TIMEOUT_S = 5.0
OLD_WORKER_TIMEOUT_S = 2.0
RELOAD_TIMEOUT_S = 30.0
MASTER_AWAY_S = 2.0
"""The longest time that the master refuses connections because it is started again by a reload, in seconds."""
MOST_AT_ONCE = 6
MOST_LOST = 2
"""How often a command that a worker took and lost is sent again."""
LONGEST_COMMANDS = 8000
"""The size of one batch of commands, in bytes. It must fit into one buffer of HAProxy (tune.bufsize, 16 kB)."""
MOST_ANSWER, CHUNK = 64 * 2**20, 64 * 2**10
"""The longest answer, in bytes. A list of sessions has some hundred for each."""


REMEDY = "Check that its container runs: docker compose ps proxy; docker compose logs proxy"


class Lost(ProxyError):
    """HAProxy accepted a connection, and closed it without an answer."""


class CommandSocket:
    """One UNIX socket of HAProxy. Each command uses a new connection, which HAProxy closes after its answer.

    The master, which `is_master`, closes its socket during a reload, with all commands under way. So its commands are
    sent one at a time, under `_lock`, and a connection that it refuses is tried again for MASTER_AWAY_S seconds.

    A worker takes ten connections at the same time (`stats maxconn`), and loses some of those that come beyond. So at
    most MOST_AT_ONCE commands are under way; others wait.

    At a reload, the worker that ends loses the commands that it has accepted. They are sent again, to the next worker:
    what changes routes or servers is not sent while the proxy is reloaded (haproxy.py), and each other command has the
    same effect when it is sent twice.
    """

    def __init__(self, path: Path, *, is_master: bool = False) -> None:
        self._path = path
        self._lock = asyncio.Lock() if is_master else None
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)

    async def ask(self, command: str, timeout_s: float = ANSWER_TIMEOUT_S) -> str:
        """Send a command and return its answer. Raises ProxyError without an answer in `timeout_s` seconds."""
        if self._lock is None:
            async with self._turns:
                for _ in range(MOST_LOST):
                    with suppress(Lost):
                        return await _exchange(self._path, command, timeout_s)
                return await _exchange(self._path, command, timeout_s)
        async with self._lock:
            async for attempt in retrying(MASTER_AWAY_S):
                with attempt:
                    return await _exchange(self._path, command, timeout_s)
        raise AssertionError  # the loop ends by return or by an error


@dataclass(frozen=True)
class Worker:
    """One worker process of HAProxy.

    A worker from before a reload is reached through the master by its `pid`. It takes requests on its open connections
    and changes of maps; it refuses changes of servers, and the end of a server's sessions, with "Proxy is disabled.".
    One that answers nothing at all is ended.
    """

    socket: CommandSocket
    pid: int | None = None
    end: WorkerEnd | None = field(default=None, compare=False)
    """How an old worker is ended."""

    @property
    def current(self) -> bool:
        return self.pid is None

    async def ask(self, command: str) -> str:
        """The worker's answer; empty if it has ended: the master keeps a command for a worker that is just ending.

        Raises ProxyError if it answers other commands only, or answers nothing and cannot be ended.
        """
        if self.pid is None:
            return await self.socket.ask(command)
        try:
            return await self.socket.ask(f"@!{self.pid} {command}", OLD_WORKER_TIMEOUT_S)
        except ProxyError:
            if await self._has_ended():
                return ""
            if self.end is None or await self._answers():
                raise
            await self.end.end(self.pid, self._has_ended)
            return ""

    async def _has_ended(self) -> bool:
        return self.pid not in old_workers(await self.socket.ask("show proc"))

    async def _answers(self) -> bool:
        """Whether it answers another command: then it is not wedged."""
        try:
            return bool(await self.socket.ask(f"@!{self.pid} show info", OLD_WORKER_TIMEOUT_S))
        except ProxyError:
            return False

    async def ask_all(self, commands: Iterable[str]) -> str:
        """Send commands in their order, in as few exchanges as possible. Returns all answers without empty lines."""
        # Through the master, a semicolon ends the command for the worker, so there commands are sent one by one.
        batches = _batches(commands) if self.current else commands
        answers = [await self.ask(batch) for batch in batches]
        return "\n".join(line for answer in answers for line in answer.splitlines() if line.strip())

    async def about(self) -> dict[str, str]:
        """The fields of `show info`: Version, Pid, Stopping, description and more. Empty if the worker has ended."""
        rows = (line.partition(": ") for line in (await self.ask("show info")).splitlines())
        return {name: value for name, colon, value in rows if colon}

    async def stopping(self) -> bool:
        """Whether the worker takes no new connections, or has ended."""
        return (await self.about()).get("Stopping") != "0"

    async def tell(self, command: str) -> None:
        """Send a command whose answer is empty on success. Raises ProxyError with any other answer."""
        answer = (await self.ask(command)).strip()
        if answer:
            raise ProxyError(f"HAProxy refused '{command}': {answer}.")


class Runtime:
    """One HAProxy in master-worker mode."""

    def __init__(self, folder: Path, tell: Tell | None = None) -> None:
        """`tell` publishes that a worker which answered nothing was ended."""
        self._end = WorkerEnd(folder, tell)
        self._master = CommandSocket(folder / "master.sock", is_master=True)
        self.worker = Worker(CommandSocket(folder / "admin.sock"))

    async def workers(self) -> list[Worker]:
        """The current worker, then those from before a reload that still have connections."""
        listing = await self._master.ask("show proc")
        if "# workers" not in listing:
            raise ProxyError(f"The proxy's master does not list its workers: {listing.strip() or 'an empty answer'}.")
        pids = old_workers(listing)
        return [self.worker, *(Worker(self._master, pid, self._end) for pid in pids)]

    async def about(self) -> dict[str, str]:
        """The fields of `show info` of the current worker."""
        return await self.worker.about()

    async def backends(self) -> set[str]:
        """The backends that the current worker has."""
        return {line for line in (await self.worker.ask("show backend")).splitlines() if line and line[0] != "#"}

    async def reload(self) -> None:
        """Start a worker with the current file. The old worker ends when its connections have ended.

        Raises ProxyError with HAProxy's error when it refuses the file; then the old worker stays.
        """
        answer = await self._master.ask("reload", RELOAD_TIMEOUT_S)
        if "Success=1" not in answer:
            raise ProxyError(f"HAProxy refused its new configuration: {answer.strip()}.")


def old_workers(listing: str) -> list[int]:
    """The process ids of workers from before a reload, in an answer of `show proc`."""
    _, _, old = listing.partition("# old workers")
    rows = (line.split() for line in old.splitlines()[1:])
    return [int(row[0]) for row in rows if len(row) > 1 and row[0].isdigit() and row[1] == "worker"]


def process_id(answer: str) -> int:
    """The process id of the worker, in an answer of `show info`. Raises ProxyError for any other answer."""
    return _number(answer, "Pid")


def uptime(answer: str) -> int:
    """For how many seconds the worker runs, in an answer of `show info`. Raises ProxyError for any other answer."""
    return _number(answer, "Uptime_sec")


def _number(answer: str, of: str) -> int:
    for line in answer.splitlines():
        name, _, value = line.partition(": ")
        if name == of and value.isdigit():
            return int(value)
    raise ProxyError(f"The proxy does not tell its {of}: {answer.strip()[:200] or 'an empty answer'}.")


def _batches(commands: Iterable[str]) -> Iterator[str]:
    batch = ""
    for command in commands:
        if batch and len(batch) + len(command) > LONGEST_COMMANDS:
            yield batch
            batch = ""
        batch = f"{batch};{command}" if batch else command
    if batch:
        yield batch


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    """An answer to its end. Raises OSError when it is longer than MOST_ANSWER."""
    answer = bytearray()
    while chunk := await reader.read(CHUNK):
        answer += chunk
        if len(answer) > MOST_ANSWER:
            raise OSError(errno.EMSGSIZE, f"its answer is longer than {MOST_ANSWER // 2**20} MiB")
    return bytes(answer)


async def _exchange(socket: Path, command: str, timeout_s: float) -> str:
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(socket)
            try:
                writer.write(command.encode() + b"\n")
                await writer.drain()
                # The master reads commands until the end of the input.
                writer.write_eof()
                answer = await _all_of(reader)
            finally:
                writer.close()
            if not answer:  # the emptiest answer is an empty line
                raise ConnectionResetError("it closed the connection")
            return answer.decode(errors="replace")
    except (ConnectionResetError, BrokenPipeError) as error:
        raise Lost(f"The proxy does not answer on {socket.name} ({error.strerror or error}).", REMEDY) from error
    except (OSError, TimeoutError) as error:
        why = "in time" if isinstance(error, TimeoutError) else f"({error.strerror or error})"
        raise ProxyError(f"The proxy does not answer on {socket.name} {why}.", REMEDY) from error
