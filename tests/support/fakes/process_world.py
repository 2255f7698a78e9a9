"""An orchestrator on fakes whose work runs in real threads and processes: git, tar, a build, sidecars, engine calls."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.config.app_schema import App
from orchestrator.config.source_schema import GitSource
from orchestrator.engine.base import ContainerSpec, ContainerStatus
from orchestrator.engine.image_build import ImageBuild
from orchestrator.host import child_process
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.git import GitRepository
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.proxy import FakeProxy
from tests.support.fakes.world import World

CALL_S = 0.002
PROCESS_S = "0.02"


class ProcessEngine(FakeEngine):
    """Every call waits in a thread, as the SDK's do; a build and a sidecar are processes."""

    async def build(self, image: ImageBuild, on_line: Callable[[str], None]) -> str:
        await _process()
        return await super().build(image, on_line)

    async def run_to_end(
        self, spec: ContainerSpec, timeout_s: float, on_line: Callable[[str], None], line_bytes: int = 0
    ) -> tuple[ContainerStatus, bool]:
        await _process()
        return await super().run_to_end(spec, timeout_s, on_line, line_bytes)

    async def start(self, spec: ContainerSpec) -> str:
        await _thread()
        return await super().start(spec)

    async def stop(self, name: str, timeout_s: int) -> None:
        await _thread()
        await super().stop(name, timeout_s)

    async def wake(self, name: str, address: str = "") -> None:
        await _thread()
        await super().wake(name, address)

    async def remove(self, name: str, stop_timeout_s: int = 0) -> bool:
        await _thread()
        return await super().remove(name, stop_timeout_s)


class ProcessWorld(World):
    """A World whose source is a real Git repository, and whose engine is a ProcessEngine."""

    def __init__(self, folder: Path, config: App) -> None:
        super().__init__(folder, config)
        self.remote = folder / "remote"
        self.remote.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")
        self.engine = ProcessEngine(self.power)
        self.proxy = FakeProxy(self.engine, self.power)
        self._open_source()
        self._open()

    def _open_source(self) -> None:
        """With a lock of its own, as a new process has."""
        mirror = self.folder / "sources" / "shop.git"
        self.git_lock = asyncio.Lock()
        settings = GitSource(remote=str(self.remote), branch="main")
        self.source = GitRepository(settings, mirror, self.folder, self.git_lock)  # type: ignore[assignment]

    async def new_process(self) -> None:
        self._open_source()
        await super().new_process()

    def publish(self, *revisions: str) -> None:
        self.schema += revisions
        (self.remote / "Dockerfile").write_text("FROM scratch\n")
        (self.remote / "schema").write_text("\n".join(self.schema))
        (self.remote / "data").write_bytes(os.urandom(50_000))
        self._git("add", "--all")
        self._git("-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", "feat: more")

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.remote), *arguments], check=True, capture_output=True)


def children() -> set[str]:
    """The command lines of the processes that this one has started and that still run."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_text().replace("\0", " ").strip()
        except OSError:
            continue  # it has ended meanwhile
        if status[1] == str(os.getpid()) and status[0] != "Z":
            found.add(f"{folder.name}: {command}")
    return found


async def _thread() -> None:
    """A thread cannot be cancelled: whoever cancels waits for its end, as the engine of Docker does."""
    await to_its_end(asyncio.to_thread(time.sleep, CALL_S))


async def _process() -> None:
    await child_process.run("sleep", PROCESS_S, env={}, timeout_s=60)
