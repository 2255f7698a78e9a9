"""Connections from before ten reloads of HAProxy, through whatever happens to three apps on a real engine.

Before each reload a client opens an idle connection, an upload, a stream and a WebSocket to each app; after it one app
is deployed, rolled back, paused, restored, or fails half-way in its migration, while writers go on by the connections
of all reloads so far. Each of them is answered by its own app's active release, or closed cleanly, and no write that
was acknowledged is lost.

At the proxy alone, byte by byte: tests/component/test_proxy_reloads.py. `--soak`: ten reloads.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.proxy.runtime import Runtime
from tests.support.in_container import printed_in
from tests.support.kept import Client, Opened
from tests.support.repository import Repository
from tests.support.results import keep_result
from tests.support.stack import Stack
from tests.support.stalls import next_revision, stall_repository

APPS = ("one", "two", "three")
MIGRATIONS = {
    "one": (
        "migrate: {command: python /stall.py migrate, status: python /stall.py status, "
        'down: "python /stall.py down {revision}"}'
    ),
    "two": "migrate: {command: python /stall.py migrate, status: python /stall.py status}",
    "three": "",
}
"""`one` is migrated both ways and `two` only up, both under pause; `three` has data and no migrations."""
TURNS = (
    ("fail", "two"),
    ("restore", "three"),
    ("deploy", "one"),
    ("rollback", "one"),
    ("deploy", "three"),
    ("pause", "two"),
    ("rollback", "three"),
    ("deploy", "two"),
    ("fail", "one"),
    ("restore", "two"),
)
TURNS_IN_SHORT = 2
SPARE_BACKENDS, GUESTS = 2, 6
"""Six more apps are more than the spare backends: adding or removing them is a reload of HAProxy."""
BY_HEART_S = 60
"""Longer than any pause of this test: an answer that does not come within it is a failure."""
FAILS = '    case ["migrate"]:\n'
HALF_WAY = FAILS + '        KEPT.write_text("999")\n        sys.exit("no further")\n'


@dataclass
class Writes:
    """What was acknowledged to the writers of an app, and what was answered that must not be."""

    acknowledged: list[tuple[float, float, str]] = field(default_factory=list)
    """When each was sent and answered, and what it was."""
    bad: list[str] = field(default_factory=list)
    closed: int = 0
    replaced: list[tuple[float, float]] = field(default_factory=list)
    """When a person put an older backup back: what was written since that backup is in the backup before restoring."""

    def kept(self) -> set[str]:
        return {
            order
            for sent, answered, order in self.acknowledged
            if not any(sent <= ended and began <= answered for began, ended in self.replaced)
        }


@pytest.mark.timeout(1800)
def test_connections_from_before_each_reload_reach_their_own_apps_active_release_or_are_closed(
    tmp_path: Path, proxy_image: None, soak: bool
) -> None:
    turns = TURNS if soak else TURNS[:TURNS_IN_SHORT]
    repository = stall_repository(tmp_path)
    writes = {app: Writes() for app in APPS}
    finished = 0
    with ExitStack() as open_now, Stack(tmp_path, _config(repository.path, guests=0)) as stack:
        for _ in range(2 if soak else 1):  # twice: a rollback needs a standby
            next_revision(repository)
            for app in APPS:
                live = stack.deploy(app)
                assert live["state"] == "live", live["failure"]
        opened: list[Opened] = []
        for number, (what, app) in enumerate(turns):
            before = [Opened(stack.port, one, BY_HEART_S) for one in APPS]
            for one in before:
                open_now.callback(one.close)
            opened += before
            _reload(stack, _config(repository.path, guests=0 if number % 2 else GUESTS))
            with _writers(opened, writes):
                time.sleep(0.3)
                finished += _finish([before.pop(number % len(APPS))], writes)
                _carry_out(what, app, stack, repository, writes[app])
            finished += _finish(before, writes)
            for one in opened:
                _must_be_active(one.idle, stack, writes[one.app])
        for app in APPS:
            stack.wait_idle(app)
            lost = writes[app].kept() - _written(stack, app)
            assert lost == set(), f"{app}: {len(lost)} acknowledged writes are lost"
    acknowledged = sum(len(one.acknowledged) for one in writes.values())
    closed = sum(one.closed for one in writes.values())
    print(f"{len(turns)} reloads: {acknowledged} writes acknowledged, {finished} finished, {closed} closed")
    assert [one for app in APPS for one in writes[app].bad] == []
    assert acknowledged > 100 * len(turns)
    if soak:
        keep_result("connections", reloads=len(turns), acknowledged=acknowledged, finished=finished, closed=closed)


def _config(repository: Path, guests: int) -> str:
    apps = "".join(
        f"""  {app}:
    update: {{git: {{remote: {repository}, branch: main}}, background_check: {{enabled: false}}}}
    run: {{data: /data}}
    route: {{host: {app}.test}}
    health: {{path: /, timeout: 120}}
    drain: {{timeout: 2, stop_timeout: 2}}
    {MIGRATIONS[app]}
"""
        for app in APPS
    )
    for number in range(guests):
        apps += f"""  guest{number}:
    update: {{git: {{remote: {repository}, branch: main}}, enabled: false}}
    route: {{host: guest{number}.test}}
"""
    return f"disk: {{min_free_mb: 100}}\nproxy: {{spare_backends: {SPARE_BACKENDS}}}\napps:\n{apps}"


def _reload(stack: Stack, config: str) -> None:
    """Save the configuration, and see that HAProxy has a new worker for it."""

    def workers() -> list[object]:
        return list(asyncio.run(Runtime(stack.proxy_folder).workers()))

    earlier = workers()
    stack.set_config(config)
    stack.until(lambda: workers()[:1] != earlier[:1], "HAProxy reloads")


@contextmanager
def _writers(opened: list[Opened], writes: dict[str, Writes]) -> Iterator[None]:
    """A writer for each app: order after order, by each of its idle connections in turn."""
    stop = threading.Event()

    def write(app: str) -> None:
        mine = [one.idle for one in opened if one.app == app]
        while not stop.wait(0.01) and mine:
            client = mine.pop(0)
            order = f"{app}-{time.monotonic_ns()}"
            sent = time.monotonic()
            try:
                answer = client.ask("POST", "/", f"content-length: {len(order)}\r\n", order.encode())
            except TimeoutError:
                answer = "no answer"
            if _noted(answer, sent, order, writes[app], app):
                mine.append(client)
        stop.wait()

    threads = [threading.Thread(target=write, args=(app,)) for app in APPS]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _noted(answer: str, sent: float, order: str, mine: Writes, app: str) -> bool:
    """Note what became of a write. Whether its connection can be used again."""
    if not answer:
        mine.closed += 1
        return False
    if " 200 " in answer.partition("\r\n")[0] and _who(answer)["app"] == app:
        mine.acknowledged.append((sent, time.monotonic(), order))
        return True
    mine.bad.append(f"{order}: {answer}")
    return False


def _finish(opened: list[Opened], writes: dict[str, Writes]) -> int:
    """Finish the uploads, and go on with streams and WebSockets: how many were still open."""
    count = 0
    for one in opened:
        count += _noted(one.finish_upload(), time.monotonic(), one.upload_is, writes[one.app], one.app)
        for answer in (one.stream.receive(), one.web_socket.go_on(b"?")):
            count += answer != ""
            if answer and f'"app": "{one.app}"' not in answer:
                writes[one.app].bad.append(answer)
    return count


def _must_be_active(idle: Client, stack: Stack, writes: Writes) -> None:
    """With nothing under way, only the active release answers."""
    answer = idle.ask()
    if answer and _who(answer) != {"app": idle.app, "release": stack.app(idle.app)["active"]["version"]}:
        writes.bad.append(answer)


def _who(answer: str) -> dict[str, str]:
    try:
        return dict(json.loads(answer.rpartition("\n")[2]))
    except ValueError:
        return {"app": "nobody"}


def _carry_out(what: str, app: str, stack: Stack, repository: Repository, writes: Writes) -> None:
    match what:
        case "deploy":
            next_revision(repository)
            live = stack.deploy(app)
            assert live["state"] == "live", live["failure"]
        case "fail":
            repository.replace("stall.py", FAILS, HALF_WAY)
            next_revision(repository)
            assert stack.deploy(app)["state"] == "failed"
            repository.replace("stall.py", HALF_WAY, FAILS)
            repository.commit("fix: the migration")
        case "rollback":
            assert stack.rollback(app)["state"] == "live"
            stack.wait_idle(app)
        case "pause":
            stack.post(f"/apps/{app}/pause")
            time.sleep(1)
            stack.post(f"/apps/{app}/resume")
        case "restore":
            began = time.monotonic()
            backup = stack.post(f"/apps/{app}/backups")["id"]
            time.sleep(0.5)
            assert stack.post(f"/apps/{app}/backups/{backup}/restore")["state"] == "live"
            writes.replaced.append((began, time.monotonic()))


def _written(stack: Stack, app: str) -> set[str]:
    """The lines in the data of an app."""
    return set(printed_in(stack.app(app)["active"]["container"], "cat", "/data/written").splitlines())
