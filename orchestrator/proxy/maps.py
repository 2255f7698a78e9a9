"""The maps of a running HAProxy: read, change and read back, in one worker (management guide, section 9.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import ProxyError
from orchestrator.proxy.runtime import Worker


@dataclass(frozen=True)
class RuntimeMap:
    """One map in one worker. Its name is its file."""

    worker: Worker
    file: str

    async def entries(self) -> dict[str, str]:
        """All entries; empty if the worker has no such map."""
        return _entries_in(await self.worker.ask(f"show map {self.file}"))

    async def exists(self) -> bool:
        """Whether the worker runs and has such a map; otherwise the answer is an error text."""
        answer = (await self.worker.ask(f"show map {self.file}")).strip()
        return not answer or answer.startswith("0x")

    async def set(self, key: str, value: str) -> None:
        """Set one entry, atomically. Raises ProxyError if the map does not have it afterwards."""
        entries = await self._after(f"set map {self.file} {key} {value}")
        if key not in entries:
            entries = await self._after(f"add map {self.file} {key} {value}")
        if entries.get(key) != value:
            raise ProxyError(f"HAProxy's map {self._name} does not have '{key} {value}' after it was set.")

    async def remove(self, key: str) -> None:
        """Remove an entry. Raises ProxyError if the map still has it afterwards."""
        if key in await self._after(f"del map {self.file} {key}"):
            raise ProxyError(f"HAProxy's map {self._name} still has '{key}' after it was removed.")

    async def replace(self, wanted: Mapping[str, str]) -> None:
        """Replace all entries, atomically. Raises ProxyError if the map is not as wanted afterwards."""
        if await self.entries() == wanted:
            return
        answer = await self.worker.ask(f"prepare map {self.file}")
        # "New version created: 1"
        version = answer.strip().rpartition(" ")[2]
        if not version.isdigit():
            raise ProxyError(f"HAProxy refused to prepare its map {self._name}: {answer.strip()}.")
        added = await self.worker.ask_all(
            f"add map @{version} {self.file} {key} {value}" for key, value in wanted.items()
        )
        if added:
            await self.worker.ask(f"clear map @{version} {self.file}")
            raise ProxyError(f"HAProxy refused entries of its map {self._name}: {added}.")
        await self.worker.tell(f"commit map @{version} {self.file}")
        if await self.entries() != wanted:
            raise ProxyError(f"HAProxy's map {self._name} differs from what was committed.")

    async def _after(self, command: str) -> dict[str, str]:
        """The entries after this command, in the same exchange. What the command answers does not matter."""
        return _entries_in(await self.worker.ask_all([command, f"show map {self.file}"]))

    @property
    def _name(self) -> str:
        return Path(self.file).name


def _entries_in(answer: str) -> dict[str, str]:
    """The entries in an answer of `show map`: each line has an address, a key and a value."""
    rows = (line.split() for line in answer.splitlines())
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0].startswith("0x")}
