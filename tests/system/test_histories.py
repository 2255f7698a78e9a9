"""Random histories of releases, rollbacks and accidents: after each step everything agrees, and nothing is lost.

On a machine of their own, whose engine can be killed and whose disk can be filled. Every history has a number, which
its random choices come from: `--first 17 --histories 1` goes through number 17 again. Even ones have the journal in
SQLite, odd ones in PostgreSQL, whose server can be killed, too. With `--soak` a line for each is kept in bench/results.
"""

from __future__ import annotations

import itertools
import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest

from tests.support.postgres import Postgres, gateway
from tests.support.repository import Repository
from tests.support.results import keep_result
from tests.support.visitor import Visitor
from tests.support.whole_machine import Machine

pytestmark = pytest.mark.xdist_group("machine")

STEPS = 6
COLUMNS = ("release", "sold_by")
"""What a change of the schema that the release before cannot run on renames, there and back."""
GOOD = ("a change", "a change", "a compatible migration", "an incompatible migration")
BAD = ("does not build", "ends at once", "is never ready", "migration fails half-way")
VICTIMS = ("nobody", "nobody", "orchestrator", "proxy", "candidate", "active", "sidecar", "engine", "journal", "disk")
SPARES_REQUESTS = ("nobody", "orchestrator", "candidate", "sidecar", "journal")
"""Whom to kill without that a request may fail."""
JOURNAL_AWAY_S = 1.0
DISK_FULL_S = 1.0


class History:
    """One app's life on the machine, from its first release on."""

    def __init__(self, number: int, machine: Machine, server: Postgres | None) -> None:
        self.machine, self.server = machine, server
        self.random = random.Random(f"history {number}")
        self.name = f"shop{number}"
        self.story: list[str] = []
        self.revisions = 1
        self.changes = itertools.count(1)
        self.backups: dict[str, set[str]] = {}
        self.visitor: Visitor | None = None

    def __enter__(self) -> History:
        with self.told("open the shop"):
            self.repository: Repository = self.machine.add_shop(self.name)
            ended = self.machine.deploy(self.name)
            assert ended["state"] == "live", ended["failure"]
            self.visitor = Visitor(self.machine, f"{self.name}.test")
            self.visitor.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self.visitor:
            self.visitor.__exit__(None, None, None)
        self.machine.remove_app(self.name)

    def go_on(self) -> None:
        """One step, whatever it is, and a look at everything after it."""
        # How often each comes, in relation to the others: what changes most is most of a life.
        steps: dict[Callable[[], None], int] = {
            self.deploy_a_good_release: 3,
            self.deploy_a_bad_release: 2,
            self.roll_back: 2,
            self.back_up: 1,
            self.restore: 2 if self.backups else 0,
            self.an_accident_while_nothing_is_deployed: 1,
            self.deploy_on_a_full_disk: 1,
        }
        (step,) = self.random.choices(list(steps), weights=list(steps.values()))
        step()
        self.all_is_well()

    def somebody(self) -> tuple[str, float]:
        """Whom an accident befalls, and after how many seconds."""
        return self.random.choice(VICTIMS), round(self.random.uniform(0, 2), 2)

    # What happens

    def deploy_a_good_release(self) -> None:
        what, (victim, after) = self.random.choice(GOOD), self.somebody()
        with self.told(f"deploy: {what}; kill {victim} after {after} s"):
            self.commit_good(what)
            self.deploy(victim, after, expected="live")

    def deploy_a_bad_release(self) -> None:
        what, (victim, after) = self.random.choice(BAD), self.somebody()
        with self.told(f"deploy: {what}; kill {victim} after {after} s"):
            self.commit_bad(what)
            try:
                self.deploy(victim, after, expected="failed")
            finally:
                self.repository.git("revert", "--no-edit", "HEAD")

    def roll_back(self) -> None:
        victim, after = self.somebody()
        with self.told(f"roll back; kill {victim} after {after} s"):
            before = self.machine.app(self.name)
            with self.accident(victim, after):
                try:
                    answer = self.machine.request("POST", f"/apps/{self.name}/rollback", json={})
                except httpx.TransportError:
                    return
            if victim == "nobody":
                assert answer.status_code == (200 if before["standby"] else 409), answer.text
                if before["standby"]:
                    assert self.machine.app(self.name)["active"]["version"] == before["standby"]["version"]

    def back_up(self) -> None:
        victim, after = self.somebody()
        with self.told(f"back up; kill {victim} after {after} s"):
            assert self.visitor is not None
            ordered = set(self.visitor.orders)
            with self.accident(victim, after):
                try:
                    answer = self.machine.request("POST", f"/apps/{self.name}/backups")
                except httpx.TransportError:
                    return
            if victim == "nobody":
                assert answer.is_success, answer.text
            if answer.is_success:
                self.backups[answer.json()["id"]] = ordered

    def restore(self) -> None:
        backup = self.random.choice(sorted(self.backups))
        victim, after = self.somebody()
        with self.told(f"restore {backup}; kill {victim} after {after} s"):
            assert self.visitor is not None
            kept = {one["id"] for one in self.machine.get(f"/apps/{self.name}/backups")["backups"]}
            before = self.newest()["id"]
            failed = len(self.visitor.failures)
            with self.accident(victim, after), suppress(httpx.TransportError):
                self.machine.request("POST", f"/apps/{self.name}/backups/{backup}/restore")
            self.machine.wait_engine()
            self.machine.wait_ready()
            self.settled()
            newest = self.newest()
            self.story.append(f"   {newest['state']}: {newest['failure'] and newest['failure']['cause']}")
            restored = newest["id"] != before and newest["state"] == "live"
            if victim in SPARES_REQUESTS:
                assert self.visitor.failures[failed:] == []
            if victim == "nobody":
                assert restored == (backup in kept)
            if restored:
                # What was ordered since the backup is gone, as was asked for; what was ordered before is not.
                until_now = len(self.visitor.orders)
                self.visitor.orders[:until_now] = self.backups[backup]

    def an_accident_while_nothing_is_deployed(self) -> None:
        victim = self.random.choice(VICTIMS[2:])
        with self.told(f"kill {victim}"), self.accident(victim, 0):
            time.sleep(0.1)

    def deploy_on_a_full_disk(self) -> None:
        with self.told("deploy on a full disk"):
            self.commit_good("a change")
            self.machine.fill_disk()
            try:
                asked = self.machine.request("POST", f"/apps/{self.name}/deployments", json={})
                if asked.is_success:
                    time.sleep(2)
            except httpx.TransportError:
                pass
            finally:
                self.machine.free_disk()

    # What must hold after each of it

    def all_is_well(self) -> None:
        with self.told(""):
            machine, visitor = self.machine, self.visitor
            assert visitor is not None
            machine.wait_engine()
            machine.wait_ready()
            app = self.settled()
            active = app["active"]
            release = machine.answers(self.name)["release"]
            assert release == active["version"], f"{release} answers, and {active['version']} is active"
            kept = {slot["container"] for slot in (active, app["standby"]) if slot}
            assert self.containers("app") == kept, f"there are {self.containers('app')}, and {kept} should be"
            assert self.containers("sidecar") == set()
            maps = self.proxy_maps()
            colour = active["colour"]
            assert maps == {"file": colour, "running": colour, "paused": []}, (
                f"the proxy says {maps}, and {colour} is active"
            )
            history = machine.get(f"/apps/{self.name}/deployments?limit=100")["deployments"]
            assert {one["state"] for one in history} <= {"live", "failed", "rolled_back", "superseded", "cancelled"}
            assert not machine.get(f"/apps/{self.name}/migrations")["pending"]
            order = f"after-{len(self.story)}"
            counted = httpx.post(machine.url(f"/orders/{order}"), headers={"Host": f"{self.name}.test"}, timeout=60)
            assert counted.is_success, counted.text
            acknowledged = {*visitor.orders, order}
            missing = acknowledged - machine.orders(self.name)
            assert not missing, (
                f"{len(missing)} of {len(acknowledged)} acknowledged orders are lost: {sorted(missing)[:3]}"
            )

    # How

    def deploy(self, victim: str, after: float, expected: str) -> None:
        before = self.machine.app(self.name)["active"]
        failed = len(self.visitor.failures) if self.visitor else 0
        with self.accident(victim, after):
            try:
                asked = self.machine.post(f"/apps/{self.name}/deployments")["id"]
            except (httpx.TransportError, AssertionError):
                assert victim != "nobody"
                return
            ended = self.machine.wait_ended(asked)
        self.story.append(f"   {ended['state']} {ended['version']}: {ended['failure'] and ended['failure']['cause']}")
        if victim == "nobody":
            assert ended["state"] == expected, ended
            active = self.machine.app(self.name)["active"]["version"]
            assert active == (ended["version"] if expected == "live" else before["version"])
        if self.visitor and victim in SPARES_REQUESTS:
            assert self.visitor.failures[failed:] == []

    @contextmanager
    def accident(self, victim: str, after: float) -> Iterator[None]:
        """Somebody is killed a while after the block has begun, or as soon as there is somebody to kill."""
        before = self.machine.app(self.name)
        over = threading.Event()

        def strike() -> None:
            time.sleep(after)
            while not self.kill(victim, before) and not over.is_set():
                time.sleep(0.05)

        thread = threading.Thread(target=strike, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(timeout=60)

    def kill(self, victim: str, before: Any) -> bool:
        machine = self.machine
        known = {slot["container"] for slot in (before["active"], before["standby"]) if slot}
        match victim:
            case "nobody":
                return True
            case "engine":
                machine.kill_engine()
                return True
            case "journal":
                if self.server:
                    self.server.stop(signal.SIGQUIT)
                    time.sleep(JOURNAL_AWAY_S)
                    self.server.start()
                return True
            case "disk":
                machine.fill_disk()
                time.sleep(DISK_FULL_S)
                machine.free_disk()
                return True
            case "active":
                return machine.kill_process_of(before["active"]["container"])
            case "candidate":
                # One that has become active meanwhile is a candidate no more.
                known.add(machine.app(self.name)["active"]["container"])
                return any([machine.kill_process_of(one) for one in self.containers("app") - known])
            case "sidecar":
                return any([machine.kill_process_of(one) for one in machine.sidecars(self.name)])
            case _:
                return machine.kill_process_of(f"changeover-{victim}-1")

    def settled(self) -> Any:
        """The app, when everything that was asked for has ended and the active release is well."""

        def settled() -> Any:
            newest = self.newest()
            app = self.machine.app(self.name)
            return app if newest["ended_at"] and not app["deployment"] and app["health"] == "healthy" else None

        return self.machine.until(settled, f"{self.name} comes to rest", 120)

    def newest(self) -> Any:
        return self.machine.get(f"/apps/{self.name}/deployments?limit=1")["deployments"][0]

    def containers(self, role: str) -> set[str]:
        filters = f"--filter label=changeover.app={self.name} --filter label=changeover.role={role}"
        return set(
            self.machine.run("sh", "-c", f"docker ps -a --format '{{{{.Names}}}}' {filters}", check=False).split()
        )

    def proxy_maps(self) -> Any:
        return json.loads(self.machine.run("python", "-c", PROXY_MAPS, self.name))

    def commit_good(self, what: str) -> None:
        number = next(self.changes)
        if what == "a compatible migration":
            self.add_revision(f'op.execute("CREATE TABLE extra{number} (id TEXT)")', f'op.drop_table("extra{number}")')
        if what == "an incompatible migration":
            text = (self.repository.path / "shop.py").read_text()
            old, new = COLUMNS if f"(id, {COLUMNS[0]})" in text else COLUMNS[::-1]
            rename = 'op.execute("ALTER TABLE orders RENAME COLUMN {} TO {}")'
            self.add_revision(rename.format(old, new), rename.format(new, old), compatible=False)
            self.repository.replace("shop.py", f"(id, {old})", f"(id, {new})")
        self.repository.change(f"{what} {number}")

    def commit_bad(self, what: str) -> None:
        match what:
            case "does not build":
                self.repository.write("Dockerfile", "FROM changeover/test-shop\nRUN false\n")
            case "ends at once":
                self.repository.write("shop.py", "raise SystemExit('no shop today')\n")
            case "is never ready":
                self.repository.replace("shop.py", 'return {"ready": RELEASE}', 'raise HTTPException(503, "never")')
            case _:
                made = 'op.execute("CREATE TABLE half (id TEXT)"); op.execute("DELETE FROM orders"); 1 / 0'
                self.add_revision(made, "pass")
                self.revisions -= 1
        self.repository.commit(f"feat: {what}")

    def add_revision(self, up: str, down: str, *, compatible: bool = True) -> None:
        previous, self.revisions = f"{self.revisions:04}", self.revisions + 1
        self.repository.write(
            f"migrations/versions/{self.revisions:04}_change.py",
            f'"""Change {self.revisions}"""\nfrom alembic import op\n'
            f'revision, down_revision, compatible = "{self.revisions:04}", "{previous}", {compatible}\n'
            f"def upgrade():\n    {up}\ndef downgrade():\n    {down}\n",
        )

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Whatever goes wrong is raised with what had happened until then."""
        if what:
            self.story.append(what)
        try:
            yield
        except Exception as error:
            story = "\n".join(self.story)
            raise AssertionError(f"{error}\n\n{self.name}:\n{story}\n\n{self.machine.what_was_logged()}") from error


PROXY_MAPS = """
import json, socket, sys
app, folder = sys.argv[1], "/var/lib/docker/volumes/changeover_proxy/_data"
def ask(command):
    with socket.socket(socket.AF_UNIX) as worker:
        worker.connect(folder + "/admin.sock")
        worker.sendall(command.encode() + b"\\n")
        return b"".join(iter(lambda: worker.recv(65536), b"")).decode()
def entries(text, key, value):
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return {row[key]: row[value] for row in rows}
print(json.dumps({
    "file": entries(open(folder + "/traffic.map").read(), 0, 1).get(app, "").rpartition("_")[2],
    "running": entries(ask("show map /run/changeover/traffic.map"), 1, 2).get(app, "").rpartition("_")[2],
    "paused": [one for one in entries(ask("show map /run/changeover/pause.map"), 1, 2) if one == app],
}))
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        first = int(metafunc.config.getoption("--first"))
        numbers = range(first, first + int(metafunc.config.getoption("--histories")))
        # One journal after the other: changing it takes the orchestrator of the machine a new start.
        metafunc.parametrize("number", [*(one for one in numbers if not one % 2), *(one for one in numbers if one % 2)])


@pytest.fixture(scope="module")
def journals(machine: Machine, postgres: Postgres) -> Iterator[dict[str, str]]:
    """Where the journal may be kept, and its URL: nothing for the machine's own file."""
    yield {"sqlite": "", "postgresql": postgres.url(postgres.create(), gateway("bridge"))}
    machine.use_journal("")


@pytest.mark.timeout(900)
def test_a_random_history_with_accidents_keeps_every_promise(
    machine: Machine, journals: dict[str, str], postgres: Postgres, number: int, soak: bool
) -> None:
    journal = ("sqlite", "postgresql")[number % 2]
    machine.use_journal(journals[journal])
    history = History(number, machine, postgres if journal == "postgresql" else None)
    began, passed = time.monotonic(), False
    try:
        with history:
            for _ in range(STEPS):
                history.go_on()
        passed = True
    finally:
        if soak:
            seconds = round(time.monotonic() - began, 1)
            keep_result(
                "histories", history=number, journal=journal, passed=passed, seconds=seconds, story=history.story
            )
