"""HAProxy's command sockets in a folder, with one worker in memory, and a failure where a test wants one."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from orchestrator.proxy.runtime import MOST_LOST

LISTING = "#<PID> <type>\n1 master\n# workers\n12 worker 0\n# old workers\n# programs\n"


@dataclass
class FakeServer:
    address: str = "192.0.2.1:9"
    ready: bool = False


@dataclass
class HAProxySockets:
    """Answers the commands of a switch. At the exchange `fails_at`, counted from zero, it closes the connection without
    an answer: before the commands have an effect, or after it.
    """

    folder: Path
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    servers: dict[str, FakeServer] = field(default_factory=dict)
    exchanges: list[str] = field(default_factory=list)
    fails_at: int | None = None
    fails_after: bool = False
    sessions: str = ""
    """What it answers to `show sess all`."""

    def fail_at(self, number: int | None, *, after: bool) -> None:
        self.exchanges, self.fails_at, self.fails_after = [], number, after

    def state(self, backend: str) -> dict[str, str]:
        """Of each server of the backend that is ready, its address."""
        return {name: one.address for name, one in self.servers.items() if one.ready and name.startswith(f"{backend}/")}

    async def __aenter__(self) -> HAProxySockets:
        self._stack = AsyncExitStack()
        for name in ("admin.sock", "master.sock"):
            await self._stack.enter_async_context(await asyncio.start_unix_server(self._exchange, self.folder / name))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = (await reader.read()).decode().strip()
        self.exchanges.append(text)
        # Also when it is sent again at once.
        fails = self.fails_at is not None and 0 <= len(self.exchanges) - 1 - self.fails_at <= MOST_LOST
        if not fails or self.fails_after:
            answer = "".join(f"{self._answer(command.split())}\n" for command in text.split(";"))
            if not fails:
                writer.write(answer.encode())
                await writer.drain()
        writer.close()

    def _answer(self, words: list[str]) -> str:
        match words:
            case ["show", "proc"]:
                return LISTING
            case ["show", "stat", backend, *_]:
                by = Counter(re.findall(rf"backend={backend} .*\n  server=(\S+)", self.sessions))
                rows = {"app": by["app"], "fallback": by["fallback"], "BACKEND": by.total()}
                listed = (f"{backend},{name},{served},UP\n" for name, served in rows.items())
                return "# pxname,svname,scur,status\n" + "".join(listed)
            case ["show", "sess", *_]:
                return self.sessions
            case ["show", "map", file]:
                return "".join(f"0x1 {key} {value}\n" for key, value in self.maps.get(file, {}).items())
            case ["set", "map", file, key, value]:
                if key not in self.maps.get(file, {}):
                    return "entry not found."
                self.maps[file][key] = value
            case ["add", "map", file, key, value]:
                self.maps.setdefault(file, {})[key] = value
            case ["del", "map", file, key]:
                self.maps.get(file, {}).pop(key, None)
            case ["set", "server", name, "addr", address, "port", port]:
                self._server(name).address = f"{address}:{port}"
                return "IP changed from '192.0.2.1' by 'stats socket command'"
            case ["set", "server", name, "state", state]:
                self._server(name).ready = state == "ready"
            case _:
                return f"Unknown command: {' '.join(words)}"
        return ""

    def _server(self, name: str) -> FakeServer:
        return self.servers.setdefault(name, FakeServer())
