"""A container engine in memory, with an app whose data has a schema, and the backups of it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

from orchestrator.app_data.backup_about import PLACE
from orchestrator.backup_sidecar.difference import Difference
from orchestrator.backup_sidecar.manifest import Entry, Summary
from orchestrator.backup_sidecar.retention import unneeded
from orchestrator.domain.log_line import Choose, LogLine, LogPart, LogRange
from orchestrator.domain.schema_report import PREFIX
from orchestrator.engine.base import (
    LABEL_APP,
    LABEL_RELEASE,
    LABEL_ROLE,
    OPENED,
    ContainerEvent,
    ContainerSpec,
    ContainerStatus,
    Placed,
    Role,
)
from orchestrator.engine.container_usage import ContainerUsage
from orchestrator.engine.disk_usage import DiskUsage, ImageSize
from orchestrator.engine.image_build import ImageBuild
from orchestrator.engine.local_image import LocalImage
from orchestrator.engine.own_images import is_own
from orchestrator.engine.terminal import Input, Pipe, Terminal, content_of, let_go
from orchestrator.engine.user_change import UserChange
from orchestrator.errors import EngineError, StepFailed, UserUnknown, VolumeGone
from orchestrator.host.uninterrupted import in_spite_of_cancels
from tests.support.fakes.power import Power

DATABASE = "data/shop.db"


@dataclass
class FakeContainer:
    """`moved_to`: the address to which somebody has moved it in the network; empty: out of it."""

    spec: ContainerSpec
    running: bool = True
    paused: bool = False
    exit_code: int = 0
    restarting: bool = False
    restarts_by_itself: bool = False
    moved_to: str | None = None

    @property
    def address(self) -> str:
        return self.spec.address if self.moved_to is None else self.moved_to


@dataclass
class FakeData:
    """What an app has stored: the schema revisions, and the rows that somebody was told are kept.

    `pieces` are schema revisions of which a part was committed, and which the app reports as pending.
    """

    schema: list[str] = field(default_factory=list)
    rows: set[str] = field(default_factory=set)
    pieces: set[str] = field(default_factory=set)
    owner: str = "10001:10001"
    readers: set[str] = field(default_factory=lambda: {"10001:10001"})

    def copy(self) -> FakeData:
        return FakeData(list(self.schema), set(self.rows), set(self.pieces), self.owner, {self.owner})


def echo(terminal: Terminal) -> int:
    """Show what is typed, and each size, until an empty line. In a thread, as the engine does it."""
    terminal.show(f"{terminal.size.columns}x{terminal.size.rows} ".encode())
    while (keys := terminal.typed.get()) not in (b"\r", None):
        terminal.show(keys if isinstance(keys, bytes) else f"{keys.columns}x{keys.rows} ".encode())
    return 0


class FakeEngine:
    """Implements the Engine protocol. `images` says which schema revisions the release of an image brings.

    `incompatible` are revisions that the release before cannot run on; `failing` are commands that exit with 1, or
    "build"; `broken` are versions that never answer; `held` are locks of the standby on the data. A build takes
    `build_s` seconds. `half_way` are revisions at which the migrate command fails, with those before them committed;
    of those in `torn` a part is committed, too. `silent`: it reports nothing. `meanwhile` is called while a migration
    runs.
    """

    stack = "test"
    network = "test"

    def __init__(self, power: Power | None = None) -> None:
        self._power = power or Power()
        self.running: dict[str, FakeContainer] = {}
        self.used: dict[str, ContainerUsage] = {}
        self.data: dict[str, FakeData] = {}
        self.backups: dict[str, dict[str, tuple[Summary, FakeData]]] = {}
        self.images: dict[str, list[str]] = {}
        self.spare: dict[str, list[str]] = {}
        self.incompatible: set[str] = set()
        self.ignores_unknown_revisions = False
        self.failing: set[str] = set()
        self.unknown_users: set[str] = set()
        self.is_dumped = self.loads_nothing = False
        """The data is on a database server; the restore command ends without an error, and has done nothing."""
        self.broken: set[str] = set()
        self.not_found: set[str] = set()
        """Paths that the apps do not have."""
        self.build_s = 0.0
        self.sidecar_s: Callable[[], float] = lambda: 0.0
        """How long a sidecar takes until it has its effect, in seconds."""
        self.interrupted_did: Callable[[], float] = lambda: 0.0
        """How much of its work a sidecar has done that is ended before: from 0 to 1."""
        self.executed: list[tuple[str, ...]] = []
        self.at_terminal: Callable[[Terminal], int] = echo
        """What a command on a terminal does, in a thread."""
        self.at_pipe: Callable[[Pipe], int] = lambda _pipe: 0
        """What a command does whose output is wanted in bytes, in a thread."""
        self.killed: list[tuple[str, ...]] = []
        self.commands_of_before: set[str] = set()
        """The containers in which a command runs that an orchestrator began which was killed."""
        self.named_volumes: set[str] = set()
        self.anonymous_volumes: set[str] = set()
        self.tags: set[str] = set()
        self.named: dict[str, LocalImage] = {}
        """Images of the engine that a person has given names."""
        self.given_tags: dict[str, str] = {}
        """What was given to images that exist, and of which image it is."""
        self.lists_of_backups = 0
        self._built: set[str] = set()
        self.unknown_signals: set[str] = set()
        self.refused: set[str] = set()
        """The programs of sidecars that are not even created."""
        self.half_way: set[str] = set()
        self.torn: set[str] = set()
        self.silent = False
        self.says_before_reports = ""
        """What the migrate command prints on the line of each report, before it."""
        self.says_of_status: tuple[str, ...] = ()
        """What the status command prints instead of reports."""
        self.network_tables: list[str] = []
        """Lines of /proc/net/tcp of new containers, where they do not listen at their port."""
        self.meanwhile: Callable[[], None] = lambda: None
        self.restores: list[str] = []
        """The tokens of all restores that were completed."""
        self.archived_configuration = "apps: {}\n"
        self.held: list[str] = []
        self.awaited: set[str] = set()
        self.refuses_lock_sidecar: EngineError | None = None
        self.kills_lock_sidecars = 0
        """So many of those that are started next end after their first look."""
        self.woken: list[str] = []
        self.unpause_answers_after_s = 0.0
        self.serves_one_connection = False
        self.booting: set[str] = set()
        """Containers that run and do not listen yet."""
        self.on_unpause: Callable[[], object] = lambda: None
        """What happens just before it."""
        self.sidecar_specs: list[ContainerSpec] = []
        """Each sidecar that was to run to its end."""
        self.printed: dict[str, list[LogLine]] = {}
        """The logs of containers that print other lines than the usual one."""
        self.looks = 0
        """How often the status of a container was asked for."""
        self._addresses = itertools.cycle(f"10.0.0.{number}" for number in range(250, 20, -1))
        self._watchers: list[asyncio.Queue[ContainerEvent | None]] = []

    # Of the protocol

    async def version(self) -> str:
        return "26.1"

    async def wait_until_up(self, deadline_s: float) -> bool:
        return True

    async def build(self, image: ImageBuild, on_line: Callable[[str], None]) -> str:
        await asyncio.sleep(0)
        self._power.before("build")
        on_line("#1 building")
        await asyncio.sleep(self.build_s)
        if "build" in self.failing:
            raise StepFailed("The build failed.", "Correct the Dockerfile.", log=("#1 building",), exit_code=1)
        revisions = (image.folder / "schema").read_text().split()
        digest = f"sha256:{image.tag}"
        self.images[digest] = revisions
        self.tags.add(image.tag)
        self._built.add(digest)
        self._power.after()
        await asyncio.sleep(0)
        return digest

    async def start(self, spec: ContainerSpec) -> str:
        await asyncio.sleep(0)
        self._power.before("start")
        await self._must_have(spec)
        self._mount(spec)
        self.running.setdefault(spec.name, FakeContainer(spec)).running = True
        self._power.after()
        await asyncio.sleep(0)
        return spec.name

    async def run_to_end(
        self, spec: ContainerSpec, timeout_s: float, on_line: Callable[[str], None], line_bytes: int = 0
    ) -> tuple[ContainerStatus, bool]:
        self.sidecar_specs.append(spec)
        self.awaited.add(spec.name)
        try:
            return await self._run_to_end(spec, on_line)
        finally:
            self.awaited.discard(spec.name)

    async def _run_to_end(self, spec: ContainerSpec, on_line: Callable[[str], None]) -> tuple[ContainerStatus, bool]:
        command = spec.command or ()
        await asyncio.sleep(0)
        if "orchestrator.lock_sidecar" in command:
            return await self._look_at_locks(spec, on_line)
        self._refuse_to_begin(command)
        self._power.before(f"sidecar {' '.join(command[-3:])}")
        try:
            await self._must_have(spec)
            self._mount(spec)
        except EngineError as error:
            error.never_began = True
            raise
        self.running[spec.name] = FakeContainer(spec)
        app = spec.labels[LABEL_APP]
        if isinstance(spec.stdin, Terminal | Pipe):
            await self._at(spec.stdin)
        for line in (content_of(spec.stdin) or b"").decode().splitlines():
            on_line(f"read {line}")
        if takes_s := self.sidecar_s():
            await self._works_for(takes_s, spec)
        if spec.network_of:
            for line in self.network_tables:
                on_line(line)
            code = 0
        elif "orchestrator.backup_sidecar" in command:
            on_line(json.dumps(self._backup_job(app, command, dict(spec.files), _place(spec))))
            code = 0
        else:
            code = self._migrate(app, spec, command, on_line)
        # A kill leaves the sidecar behind, with its work done. A cancel removes it.
        self._power.after()
        ended = replace(self._status(spec.name), running=False, exit_code=code)
        del self.running[spec.name]
        await asyncio.sleep(0)
        return ended, False

    async def _works_for(self, seconds: float, spec: ContainerSpec) -> None:
        """Before it has its effect. Interrupted, it has all of it, a part, or nothing."""
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self._interrupted(spec, self.interrupted_did())
            if not self._power.dead:
                self.running.pop(spec.name, None)
            raise
        if spec.name not in self.running or not self.running[spec.name].running:
            self._interrupted(spec, self.interrupted_did())
            self.running.pop(spec.name, None)
            raise EngineError(f"Container {spec.name} does not exist any more.", "Try again.")

    def _interrupted(self, spec: ContainerSpec, share: float) -> None:
        app, command = spec.labels[LABEL_APP], spec.command or ()
        if spec.network_of or not share:
            return
        if "orchestrator.backup_sidecar" in command:
            if share == 1:
                self._backup_job(app, command, dict(spec.files), _place(spec))
        elif share == 1:
            self._migrate(app, spec, command, lambda _line: None)
        elif command[0] == "up" and "up" not in self.failing:
            data = self.data_of(app)
            lacking = [revision for revision in self.images[spec.image] if revision not in data.schema]
            data.schema += lacking[: int(share * len(lacking))]

    def sidecars_at_work(self) -> frozenset[str]:
        return frozenset(self.awaited)

    async def remove_stray_sidecars(self, app: str) -> list[str]:
        strays = [
            name
            for name, one in self.running.items()
            if one.spec.labels.get(LABEL_APP) == app
            and one.spec.labels.get(LABEL_ROLE) == Role.SIDECAR
            and name not in self.awaited
        ]
        for name in strays:
            await self.remove(name)
        return strays

    async def status(self, name: str) -> ContainerStatus | None:
        self.looks += 1
        return self._status(name) if name in self.running else None

    async def containers(self, app: str = "") -> list[ContainerStatus]:
        found = [self._status(name) for name in self.running]
        return [one for one in found if not app or one.labels.get(LABEL_APP) == app]

    async def placed(self) -> list[Placed]:
        return list(await self.containers())

    async def usage(self, name: str) -> ContainerUsage | None:
        found = self.running.get(name)
        return self.used.get(name, ContainerUsage(0.0, 0)) if found and found.running else None

    async def logs(self, name: str, tail: int = 50) -> tuple[str, ...]:
        return ("the app's log",) if name in self.running else ()

    async def log_part(self, name: str, wanted: LogRange, choose: Choose, most: int) -> LogPart:
        written = [one for one in self.log_of(name) if wanted.since <= one.at <= (wanted.until or "~")][-wanted.tail :]
        lines = [found for one in written if (found := choose(one))][-most:]
        return LogPart(tuple(lines), written[-1].at if written else "", len(written))

    async def follow_logs(self, name: str, wanted: LogRange) -> AsyncGenerator[LogLine, None]:
        for line in self.log_of(name):
            if line.at >= wanted.since:
                yield line

    def log_of(self, name: str) -> list[LogLine]:
        """What a container has printed."""
        if name not in self.running:
            return []
        return self.printed.get(name, [LogLine("2026-11-28T08:00:00.000000000Z", "the app's log")])

    async def execute(
        self,
        name: str,
        command: tuple[str, ...],
        env: dict[str, str],
        timeout_s: float,
        on_line: Callable[[str], None],
        stdin: Input = None,
    ) -> tuple[int, bool]:
        """The command `wait` never ends by itself; any other one prints itself, and exits with its last word.

        On a terminal it shows what is typed, and each new size, until an empty line.
        """
        self._of(name)
        self.executed.append(command)
        if isinstance(stdin, Terminal):
            return await self._at(stdin), False
        if isinstance(stdin, Pipe):
            on_line("a warning")
            return await self._at(stdin), False
        for line in (content_of(stdin) or b"").decode().splitlines():
            on_line(f"read {line}")
        on_line(" ".join(command))
        if command[0] == "wait":
            try:
                await asyncio.sleep(timeout_s)
            except asyncio.CancelledError:
                self.killed.append(command)
                raise
            return 137, True
        return int(command[-1]) if command[-1].isdigit() else 0, False

    async def _at(self, stdin: Terminal | Pipe) -> int:
        """Whoever cancels waits, as with the real one, until the thread that shows the output has ended."""
        work = asyncio.ensure_future(
            asyncio.to_thread(self.at_terminal, stdin)
            if isinstance(stdin, Terminal)
            else asyncio.to_thread(self.at_pipe, stdin)
        )
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            let_go(stdin)
            if isinstance(stdin, Terminal):
                stdin.hang_up()
            await in_spite_of_cancels(asyncio.wait([work]))
            raise

    async def end_commands(self, name: str) -> None:
        self._of(name)
        self.commands_of_before.discard(name)

    async def watch(self) -> AsyncIterator[ContainerEvent]:
        watcher: asyncio.Queue[ContainerEvent | None] = asyncio.Queue()
        self._watchers.append(watcher)
        yield OPENED
        while (event := await watcher.get()) is not None:
            yield event
        raise EngineError("Docker's event stream ended.")

    async def stop(self, name: str, timeout_s: int) -> None:
        await asyncio.sleep(0)
        self._power.before("stop")
        self._of(name).running = False
        self._of(name).paused = self._of(name).restarting = False
        self._power.after()
        await asyncio.sleep(0)

    async def wake(self, name: str, address: str = "") -> None:
        await asyncio.sleep(0)
        self._power.before("wake")
        was_paused = self._of(name).paused
        self._of(name).running, self._of(name).paused = True, False
        self._of(name).restarting = False
        if address:
            self._of(name).moved_to = None if address == self._of(name).spec.address else address
        self.woken.append(name)
        self._power.after()
        await asyncio.sleep(self.unpause_answers_after_s if was_paused else 0)

    async def pause(self, name: str) -> None:
        await asyncio.sleep(0)
        self._power.before("pause container")
        self._of(name).paused = self._of(name).running  # one that does not run is left as it is
        self._power.after()
        await asyncio.sleep(0)

    async def unpause(self, identifier: str) -> None:
        """The container runs before the engine answers."""
        await asyncio.sleep(0)
        self._power.before("unpause container")
        self.on_unpause()
        if not self._of(identifier).paused:
            raise EngineError(f"Docker refused: Container {identifier} is not paused.")
        self._of(identifier).paused = False
        self.woken.append(identifier)
        self._power.after()
        await asyncio.sleep(self.unpause_answers_after_s)

    async def signal(self, name: str, signal: str) -> None:
        self._of(name)
        if signal in self.unknown_signals:
            raise EngineError(f"Docker refused: Invalid signal: {signal}.")

    async def keep_running(self, name: str) -> None:
        self._of(name).restarts_by_itself = True

    async def let_end(self, name: str) -> None:
        self._of(name).restarts_by_itself = False

    async def remove(self, name: str, stop_timeout_s: int = 0) -> bool:
        if name not in self.running:
            return False
        await asyncio.sleep(0)
        self._power.before("remove")
        del self.running[name]
        self._power.after()
        await asyncio.sleep(0)
        return True

    async def free_address(self, taken: set[str]) -> str:
        return next(address for address in self._addresses if address not in taken)

    async def remove_images(self, name: str, keep: set[str]) -> list[str]:
        gone = sorted(image.removeprefix("sha256:") for image in await self.tagged_images(name) - keep)
        self.tags -= set(gone)
        return gone

    async def tagged_images(self, name: str) -> set[str]:
        return {f"sha256:{tag}" for tag in self.tags if tag.startswith(f"{name}:") and not is_own(tag)}

    async def prune_build_cache(self, keep_bytes: int) -> None:
        return None

    async def has_image(self, digest: str) -> bool:
        return digest.removeprefix("sha256:") in self.tags

    async def added_bytes(self, image: str, before: str) -> int | None:
        return 1000 if await self.has_image(image) and await self.has_image(before) else None

    async def find_image(self, name: str) -> LocalImage | None:
        return self.named.get(name)

    async def tag_image(self, digest: str, tag: str) -> None:
        if not any(one.digest == digest for one in self.named.values()):
            raise EngineError(f"There is no image {digest}.", "Build it again.")
        self.given_tags[tag] = digest
        self.images.setdefault(digest, [])

    async def check_user(self, spec: ContainerSpec) -> None:
        if spec.user in self.unknown_users:
            raise UserUnknown(f"Docker refused: the image's user or group {spec.user} is not in its /etc/passwd.")

    async def user_change(self, container: str, spec: ContainerSpec) -> UserChange | None:
        if container not in self.running:
            return None
        await self.check_user(spec)
        before, after = self.running[container].spec.user, spec.user
        return None if before == after else UserChange(_ids(before), _ids(after))

    async def has_volume(self, name: str) -> bool:
        return name in self.named_volumes

    def _refuse_to_begin(self, command: tuple[str, ...]) -> None:
        if self.refused & set(command):
            error = EngineError("Docker refused: network database not found.")
            error.never_began = True
            raise error

    async def _must_have(self, spec: ContainerSpec) -> None:
        if spec.name not in self.running and spec.image in self._built and not await self.has_image(spec.image):
            raise EngineError(f"No such image: {spec.image}.", "Build it again.")

    def _mount(self, spec: ContainerSpec) -> None:
        """As the engine does: what is mounted and does not exist is made, unless it must exist."""
        for volume in spec.existing:
            if volume not in self.named_volumes:
                raise VolumeGone(f"The data volume {volume} does not exist any more.", "Restore a backup.")
        mounted = {source for source, _ in (*spec.mounts, *spec.owned)}
        self.named_volumes |= {one for one in mounted if not one.startswith("/")}

    async def ensure_volume(self, name: str) -> None:
        self.named_volumes.add(name)

    async def ensure_folders(self, volume: str, folders: tuple[str, ...], image: str) -> None:
        return None

    async def remove_volume(self, name: str) -> None:
        self.named_volumes.discard(name)

    async def volumes(self) -> list[str]:
        return sorted(self.named_volumes)

    async def unused_anonymous_volumes(self) -> list[str]:
        return sorted(self.anonymous_volumes)

    async def disk_usage(self) -> DiskUsage:
        return DiskUsage(0, 0, 0, 0, dict.fromkeys(self.tags, ImageSize(1, 1)), {}, {})

    async def keeps_containers_running(self) -> bool:
        return True

    # What happens to it

    def mend(self) -> None:
        """From now on every command succeeds."""
        self.failing.clear()
        self.refused.clear()
        self.half_way.clear()

    async def happened(self, event: ContainerEvent) -> None:
        """Tell all that watch, and let them take it."""
        await self._tell(event)

    async def goes_away(self) -> None:
        """Every watch ends."""
        self.ends_its_watches()
        await asyncio.sleep(0)

    def ends_its_watches(self) -> None:
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher.put_nowait(None)

    async def _tell(self, event: ContainerEvent) -> None:
        for watcher in self._watchers:
            watcher.put_nowait(event)
        for _ in range(3):
            await asyncio.sleep(0)

    # The app inside

    def can_run(self, name: str) -> bool:
        """Whether a container runs, on data whose schema its release can work with."""
        one = self.running.get(name)
        if one is None or not one.running or one.paused:
            return False
        if one.spec.labels.get(LABEL_RELEASE) in self.broken:
            return False
        if one.spec.user and one.spec.owned and one.spec.user not in self.data_of(one.spec.labels[LABEL_APP]).readers:
            return False
        known = self.images[one.spec.image]
        has = self.data_of(one.spec.labels[LABEL_APP]).schema
        unknown = [revision for revision in has if revision not in known]
        return set(known) <= set(has) and not set(unknown) & self.incompatible

    def data_of(self, app: str) -> FakeData:
        return self.data.setdefault(app, FakeData())

    def at(self, address: str) -> str:
        """The name of the container at an address; empty when there is none."""
        return next((name for name, one in self.running.items() if one.address == address), "")

    def app_containers(self) -> set[str]:
        return {name for name, one in self.running.items() if one.spec.labels.get(LABEL_ROLE) == Role.APP}

    def sidecars(self) -> set[str]:
        return set(self.running) - self.app_containers()

    async def _look_at_locks(self, spec: ContainerSpec, on_line: Callable[[str], None]) -> tuple[ContainerStatus, bool]:
        """Says what `held` says, until it is cancelled."""
        self._power.before("lock sidecar")
        if self.refuses_lock_sidecar:
            raise self.refuses_lock_sidecar
        self.running[spec.name] = FakeContainer(spec)
        try:
            while True:
                on_line(json.dumps({"held": self.held}))
                if self.kills_lock_sidecars:
                    self.kills_lock_sidecars -= 1
                    return replace(self._status(spec.name), running=False, exit_code=137), False
                await asyncio.sleep(0.03)
        finally:
            if not self._power.dead:
                self.running.pop(spec.name, None)

    def _migrate(self, app: str, spec: ContainerSpec, command: tuple[str, ...], on_line: Callable[[str], None]) -> int:
        data, known = self.data_of(app), self.images[spec.image]
        if command[0] in self.failing:
            on_line("it does not work")
            return 1
        if command[0] in ("dump", "load"):
            return 0  # programs of the database server, which know nothing of revisions
        lacking = [revision for revision in known if revision not in data.schema]
        unknown = [revision for revision in data.schema if revision not in known]
        if unknown and not self.ignores_unknown_revisions:
            on_line(f"Can't locate revision identified by '{unknown[-1]}'")
            return 1
        match command[0]:
            case "status" if self.says_of_status:
                for line in self.says_of_status:
                    on_line(line)
            case "status":
                self._report(lacking, known, on_line)
            case "up":
                self.meanwhile()
                done = list(itertools.takewhile(lambda revision: revision not in self.half_way, lacking))
                data.schema += done
                if done != lacking:
                    data.pieces |= {lacking[len(done)]} & self.torn
                    on_line(f"{lacking[len(done)]} does not work")
                    return 1
                if not self.silent:
                    self._report(lacking, known, lambda line: on_line(self.says_before_reports + line))
            case "down":
                target = command[1]
                data.schema = data.schema[: data.schema.index(target) + 1] if target != "base" else []
        return 0

    def _report(self, revisions: list[str], known: list[str], on_line: Callable[[str], None]) -> None:
        for revision in revisions:
            number = known.index(revision)
            previous = known[number - 1] if number else "base"
            compatible = revision not in self.incompatible
            report = {"revision": revision, "previous": previous, "compatible": compatible}
            on_line(f"{PREFIX} {json.dumps(report)}")

    def _backup_job(self, app: str, command: tuple[str, ...], files: dict[str, bytes], place: str) -> object:
        job = command[3]
        options = dict(word.partition("=")[::2] for word in command[4:])
        """`place` is a folder of the host; empty: the volume of all backups."""
        kept, named = self.backups.setdefault(f"{app}{place}", {}), options.get("--backup", "")
        match job:
            case "list":
                self.lists_of_backups += 1
                return [
                    {"id": name, "size": 1, "summary": asdict(summary), "problem": ""}
                    for name, (summary, _) in kept.items()
                ]
            case "create":
                moment = datetime.now(UTC).isoformat()
                says = json.loads(files[PLACE])
                spare, later = says.pop("spare"), {name: says.pop(name) for name in ("image", "deployment")}
                summary = Summary(
                    named, app, says["version"], says["revision"], says["reason"], moment, 1,
                    data_schema=says["data_schema"], applied=says["applied"], after=says["after"], **later,
                )  # fmt: skip
                self.spare[app] = spare
                kept[named] = (summary, self.data_of(app).copy())
                entries = [Entry(name, 1, found) for name, (found, _) in reversed(kept.items())]
                keeping = [word.partition("=")[2] for word in command if word.startswith("--keeping=")]
                for surplus in unneeded(entries, int(options["--keep"]), [named, *keeping], spare):
                    del kept[surplus]
                return asdict(summary)
            case "verify":
                return asdict(kept[named][0])
            case "extract":
                return {"control-panel-config.yaml": self.archived_configuration}
            case "compare":
                found = _difference(kept[named][1], self.data_of(app))
                if self.is_dumped:
                    content = ("dump/shop.sql",) if found.content else ()
                    return asdict(Difference(content, content if found.structure else (), content))
                return asdict(found)
            case "own":
                before, after = options["--before"], options["--after"]
                gives = options["--owner"] == "give"
                self.data_of(app).owner = after if gives else before
                self.data_of(app).readers = {before, after} if gives else {before}
                return {"changed": 1}
            case "remove":
                del kept[named]
                return [named]
            case "remove-all":
                gone = sorted(kept)
                kept.clear()
                return gone
            case "remove-unfinished":
                return []
            case "restore":
                if self.loads_nothing:
                    self.restores.append(options["--token"])
                    return asdict(kept[named][0])
                volume = self.data_of(app)  # its owner, and whoever it is shared with, get what is restored
                self.data[app] = replace(kept[named][1].copy(), owner=volume.owner, readers=set(volume.readers))
                self.restores.append(options["--token"])
                return asdict(kept[named][0])
            case "undo-interrupted":
                return {"complete": options["--token"] in self.restores[-1:]}
        return None

    def _of(self, name: str) -> FakeContainer:
        if name not in self.running:
            raise EngineError(f"Container {name} does not exist.", "Deploy the app again.")
        return self.running[name]

    def _status(self, name: str) -> ContainerStatus:
        one = self.running[name]
        spec = one.spec
        return ContainerStatus(
            id=name,
            name=name,
            labels=spec.labels,
            running=one.running,
            paused=one.paused,
            exit_code=one.exit_code,
            oom=False,
            restarts=0,
            restarting=one.restarting,
            health="",
            health_log=(),
            address=one.address,
            image=spec.image,
            called=name,
            env=spec.env,
            writable=(*spec.owned, *spec.mounts),
        )


def _place(spec: ContainerSpec) -> str:
    return next((source for source, _, _ in spec.parts if source.startswith("/")), "")


def _ids(user: str | None) -> tuple[int, int]:
    number, _, group = (user or "10001:10001").partition(":")
    return int(number), int(group or number)


def _difference(before: FakeData, now: FakeData) -> Difference:
    """All of the data is in one database."""
    structure = (DATABASE,) if (before.schema, before.pieces) != (now.schema, now.pieces) else ()
    return Difference((DATABASE,), structure, (DATABASE,) if before != now else ())
