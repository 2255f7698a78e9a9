"""Random histories of releases, rollbacks and accidents: after each step everything agrees, and nothing is lost.

On a machine of their own, whose engine can be killed and whose disk can be filled. Every history has a number, which
its random choices come from: `--first 17 --histories 1` goes through number 17 again. Even ones have the journal in
SQLite, odd ones in PostgreSQL, whose server can be killed, too. With `--soak` a line for each is kept in bench/results.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.support.accidents import (
    BROKEN,
    DISTURBS_NOTHING,
    SPARES_REQUESTS,
    WHAT,
    Accident,
    Accidents,
    some_accident,
)
from tests.support.postgres import Postgres, gateway
from tests.support.repository import Repository
from tests.support.results import keep_result
from tests.support.user import NO_TLS
from tests.support.visitor import Visitor
from tests.support.whole_machine import Machine

pytestmark = [pytest.mark.xdist_group("machine"), pytest.mark.whole_in_turn]

STEPS = 6
COLUMNS = ("release", "sold_by")
"""What a change of the schema that the release before cannot run on renames, there and back."""
GOOD = ("a change", "a change", "a compatible migration", "an incompatible migration")
BAD = ("does not build", "ends at once", "is never ready", "migration fails half-way")
AT_ONCE = (
    ("deploy", "deploy"),
    ("deploy", "roll back"),
    ("deploy", "back up"),
    ("deploy", "restore"),
    ("roll back", "roll back"),
    ("roll back", "back up"),
    ("back up", "back up"),
    ("restore", "restore"),
    ("look at migrations", "look at migrations"),
    ("look at migrations", "restore"),
    ("look at migrations", "deploy"),
)
ENDS = {"live", "unchanged", "failed", "rolled_back", "superseded", "cancelled"}
KEEP_IMAGES = 2
HELPERS = {"git", "docker", "docker-buildx", "tar", "ssh"}
"""Processes of the orchestrator's that run for a step alone."""


class History:
    """One app's life on the machine, from its first release on."""

    def __init__(self, number: int, machine: Machine, server: Postgres | None) -> None:
        self.machine, self.server = machine, server
        self.random = random.Random(f"history {number}")
        self.name = f"shop{number}"
        self.accidents = Accidents(machine, self.name, server)
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
        self.machine.set_clock(0)
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
            self.two_at_once: 2,
            self.an_accident_while_nothing_is_deployed: 1,
            self.deploy_on_a_full_disk: 1,
            self.rename: 1,
            self.down_and_up: 1,
            self.start_with_a_broken_configuration: 1,
        }
        (step,) = self.random.choices(list(steps), weights=list(steps.values()))
        step()
        self.all_is_well()

    def end(self) -> None:
        """After all of it a release can be deployed, what is kept is what should be, and doctor finds nothing."""
        with self.told("deploy at the end"):
            self.commit_good("a change")
            self.deploy(Accident("nothing", 0), expected="live")
        self.all_is_well()
        with self.told(""):
            self.nothing_is_piled_up()
            findings = self.machine.get("/doctor")["findings"]
            # The shops' base image has a name as an app's, and there is no panel on this machine.
            bad = [one for one in findings if not one["well"] and one["what"] not in ("app panel", "app test-shop")]
            assert bad == []

    # What happens

    def deploy_a_good_release(self) -> None:
        what, accident = self.random.choice(GOOD), some_accident(self.random)
        with self.told(f"deploy: {what}; {accident}"):
            self.commit_good(what)
            self.deploy(accident, expected="live")

    def deploy_a_bad_release(self) -> None:
        what, accident = self.random.choice(BAD), some_accident(self.random)
        with self.told(f"deploy: {what}; {accident}"):
            self.commit_bad(what)
            try:
                self.deploy(accident, expected="failed")
            finally:
                self.repository.git("revert", "--no-edit", "HEAD")

    def roll_back(self) -> None:
        accident = some_accident(self.random)
        with self.told(f"roll back; {accident}"):
            before = self.machine.app(self.name)
            with self.accidents.happening(accident):
                try:
                    answer = self.machine.request("POST", f"/apps/{self.name}/rollback", json={})
                except httpx.TransportError:
                    return
            if accident.what in DISTURBS_NOTHING:
                assert answer.status_code == (200 if before["standby"] else 409), answer.text
                if before["standby"]:
                    assert self.machine.app(self.name)["active"]["version"] == before["standby"]["version"]

    def back_up(self) -> None:
        accident = some_accident(self.random)
        with self.told(f"back up; {accident}"):
            assert self.visitor is not None
            ordered = set(self.visitor.orders)
            with self.accidents.happening(accident):
                try:
                    answer = self.machine.request("POST", f"/apps/{self.name}/backups")
                except httpx.TransportError:
                    return
            if accident.what in DISTURBS_NOTHING:
                assert answer.is_success, answer.text
            if answer.is_success:
                self.backups[answer.json()["id"]] = ordered

    def restore(self) -> None:
        backup = self.random.choice(sorted(self.backups))
        accident = some_accident(self.random)
        with self.told(f"restore {backup}; {accident}"):
            assert self.visitor is not None
            kept = {one["id"] for one in self.machine.get(f"/apps/{self.name}/backups")["backups"]}
            before, failed = self.known_ids(), len(self.visitor.failures)
            with self.accidents.happening(accident), suppress(httpx.TransportError):
                self.machine.request("POST", f"/apps/{self.name}/backups/{backup}/restore")
            restored = self.expect_restored(backup, before)
            if accident.what in SPARES_REQUESTS:
                assert self.visitor.failures[failed:] == []
            if accident.what in DISTURBS_NOTHING:
                assert restored == (backup in kept)

    def two_at_once(self) -> None:
        """Two requests at the same time, of two people: each is carried out or refused, and neither harms the other."""
        first, second = self.random.choice([one for one in AT_ONCE if self.backups or "restore" not in one])
        backup = self.random.choice(sorted(self.backups)) if "restore" in (first, second) else ""
        with self.told(f"{first} and {second} at once"):
            assert self.visitor is not None
            if "deploy" in (first, second):
                self.commit_good("a change")
            before, failed = self.known_ids(), len(self.visitor.failures)
            ordered = set(self.visitor.orders)
            wanted = {
                "deploy": ("POST", "deployments"),
                "roll back": ("POST", "rollback"),
                "back up": ("POST", "backups"),
                "restore": ("POST", f"backups/{backup}/restore"),
                "look at migrations": ("GET", "migrations"),
            }
            with ThreadPoolExecutor(2) as people:
                asked = [people.submit(self.ask, *wanted[one]) for one in (first, second)]
                answers = [one.result() for one in asked]
            told = ", ".join(f"{answer.status_code}" for answer in answers)
            self.story.append(f"   {told}")
            for what, answer in zip((first, second), answers, strict=True):
                assert answer.status_code < 500, answer.text
                if what == "back up" and answer.is_success:
                    self.backups[answer.json()["id"]] = ordered
                if what == "look at migrations":
                    assert answer.is_success, answer.text
                    assert not answer.json()["problem"] or "restore" in (first, second), answer.text
            if first == "deploy":
                assert answers[0].is_success, answers[0].text
            if backup:
                self.expect_restored(backup, before)
            self.settled()
            assert self.visitor.failures[failed:] == []

    def an_accident_while_nothing_is_deployed(self) -> None:
        accident = replace(some_accident(self.random, self.random.choice(WHAT[3:])), after_s=0.0)
        with self.told(str(accident)), self.accidents.happening(accident):
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

    def rename(self) -> None:
        with self.told("rename a container by hand"):
            app = self.machine.app(self.name)
            slot = self.random.choice([one for one in (app["active"], app["standby"]) if one])
            assert self.accidents.rename(slot["container"])

    def down_and_up(self) -> None:
        """`docker compose down` and `up`, perhaps with the apps stopped, perhaps in the middle of a deployment."""
        stopped, deploying = self.random.random() < 0.5, self.random.random() < 0.5
        after = round(self.random.uniform(0, 4), 2)
        with self.told(
            f"down and up{', apps stopped' * stopped}{f', {after} s after a deployment was asked for' * deploying}"
        ):
            if deploying:
                self.commit_good("a change")
                self.machine.post(f"/apps/{self.name}/deployments")
                time.sleep(after)
            if stopped:
                label = f"label=changeover.app={self.name}"
                self.machine.run("sh", "-c", f"docker ps -q --filter {label} | xargs -r docker stop", check=False)
            self.machine.down()
            self.machine.up()

    def start_with_a_broken_configuration(self) -> None:
        how = self.random.choice(sorted(BROKEN))
        with self.told(f"a start with a configuration that is broken: {how}"):
            assert self.visitor is not None
            failed = len(self.visitor.failures)
            with self.accidents.broken_configuration(how):
                self.machine.kill_process_of("changeover-orchestrator-1")
                self.machine.wait_ready()
                # A missing file is made again from the configuration in use.
                assert self.machine.get("/config")["problems"] or how == "missing"
                self.commit_good("a change")
                self.deploy(Accident("nothing", 0), expected="live")
            assert self.visitor.failures[failed:] == []

    # What must hold after each of it

    def all_is_well(self) -> None:
        with self.told(""):
            machine, visitor = self.machine, self.visitor
            assert visitor is not None
            machine.wait_engine()
            machine.wait_ready()
            app = self.settled()
            active = app["active"]
            # The standby answers until a container that was killed a moment ago is back.
            machine.until(
                lambda: machine.answers(self.name)["release"] == active["version"],
                f"{active['version']}, which is active, answers",
                30,
            )
            kept = {slot["container"] for slot in (active, app["standby"]) if slot}
            found = machine.containers(self.name, "app")
            assert found == kept, f"there are {found}, and {kept} should be"
            self.nothing_runs_on()
            maps = self.proxy_maps()
            colour = active["colour"]
            assert maps == {"file": colour, "running": colour, "paused": []}, (
                f"the proxy says {maps}, and {colour} is active"
            )
            history = self.history()
            assert {one["state"] for one in history} <= ENDS
            shown = {one["slot"]: one["container"] for one in history if one["slot"]}
            slots = {slot: app[slot]["container"] for slot in ("active", "standby") if app[slot]}
            assert shown == slots, f"history shows {shown}, and status {slots}"
            assert [one for one in app["troubles"] if not self.is_warning_of_kills(one, app["standby"])] == []
            machine.until(lambda: not machine.get("/config")["problems"], "the mended configuration is used")
            assert not machine.get(f"/apps/{self.name}/migrations")["pending"]
            order = f"after-{len(self.story)}"
            counted = httpx.post(
                machine.url(f"/orders/{order}"), headers={"Host": f"{self.name}.test"}, timeout=60, verify=NO_TLS
            )
            assert counted.is_success, counted.text
            acknowledged = {*visitor.orders, order}
            missing = acknowledged - machine.orders(self.name)
            assert not missing, (
                f"{len(missing)} of {len(acknowledged)} acknowledged orders are lost: {sorted(missing)[:3]}"
            )

    # How

    def is_warning_of_kills(self, trouble: Any, standby: Any) -> bool:
        """Of a standby that accidents have killed twice it is rightly said that it crashed when it was live."""
        twice = standby and self.accidents.killed[standby["container"]] >= 2
        return bool(twice and trouble["warns"] and "crashed when it was live" in trouble["says"])

    def nothing_runs_on(self) -> None:
        """No sidecar, process of the orchestrator's, lock of the mirror or folder of work is left."""

        def nothing() -> bool:
            running = self.machine.run("sh", "-c", "docker top changeover-orchestrator-1 -o pid,comm", check=False)
            left = self.machine.run("sh", "-c", f"cd {STATE} && find sources -name '*.lock'; ls work", check=False)
            sidecars = self.machine.containers(self.name, "sidecar")
            return not HELPERS & set(running.split()) and not left.split() and not sidecars

        self.machine.until(nothing, "nothing runs on, and no lock is left", 30)

    def nothing_is_piled_up(self) -> None:
        """Images, volumes and networks are those that are kept; the last deployment has applied retention."""
        machine = self.machine
        app = machine.app(self.name)
        backups = machine.get(f"/apps/{self.name}/backups")["backups"]
        wanted = KEEP_IMAGES + sum(1 for slot in (app["active"], app["standby"]) if slot) + len(backups)
        tags = machine.run("docker", "images", "--format", "{{.Tag}}", f"changeover/{self.name}").split()
        assert len(tags) <= wanted, f"{len(tags)} images, and {wanted} are kept at most"
        volumes = set(machine.run("docker", "volume", "ls", "--format", "{{.Name}}").split())
        parts = {f"changeover_{part}" for part in ("engine", "state", "proxy")}
        assert volumes <= parts | {"changeover-backups", f"changeover-{self.name}-data"}
        networks = set(machine.run("docker", "network", "ls", "--format", "{{.Name}}").split())
        assert networks == {"bridge", "host", "none", "changeover"}

    def ask(self, method: str, path: str) -> httpx.Response:
        return self.machine.request(method, f"/apps/{self.name}/{path}", json={} if method == "POST" else None)

    def expect_restored(self, backup: str, before: set[str]) -> bool:
        """Whether a restore that was not known before was carried out; then what it takes away is not lost."""
        assert self.visitor is not None
        self.machine.wait_engine()
        self.machine.wait_ready()
        self.settled()
        newer = [one for one in self.history() if one["id"] not in before]
        self.story += [f"   {one['kind']} {one['state']}: {cause_of(one)}" for one in newer]
        restored = any(one["kind"] == "restore" and one["state"] == "live" for one in newer)
        if restored:
            # What was ordered since the backup is gone, as was asked for; what was ordered before is not.
            until_now = len(self.visitor.orders)
            self.visitor.orders[:until_now] = self.backups[backup]
        return restored

    def deploy(self, accident: Accident, expected: str) -> None:
        before = self.machine.app(self.name)["active"]
        failed = len(self.visitor.failures) if self.visitor else 0
        with self.accidents.happening(accident):
            try:
                asked = self.machine.post(f"/apps/{self.name}/deployments")["id"]
            except (httpx.TransportError, AssertionError):
                assert accident.what not in DISTURBS_NOTHING
                return
            ended = self.machine.wait_ended(asked)
        self.story.append(f"   {ended['state']} {ended['version']}: {cause_of(ended)}")
        if accident.what == "cancel":
            assert ended["state"] in (expected, "cancelled"), ended
        if accident.what in DISTURBS_NOTHING:
            assert ended["state"] == expected, ended
            active = self.machine.app(self.name)["active"]["version"]
            assert active == (ended["version"] if expected == "live" else before["version"])
        if self.visitor and accident.what in SPARES_REQUESTS:
            assert self.visitor.failures[failed:] == []

    def settled(self) -> Any:
        """The app, when everything that was asked for has ended and the active release is well."""

        def settled() -> Any:
            # Of two that were asked for at once, the newer one may end first.
            ended = all(one["ended_at"] for one in self.history(5))
            app = self.machine.app(self.name)
            return app if ended and not app["deployment"] and app["health"] == "healthy" else None

        return self.machine.until(settled, f"{self.name} comes to rest", 120)

    def known_ids(self) -> set[str]:
        return {one["id"] for one in self.history()}

    def history(self, limit: int = 100) -> list[Any]:
        """The newest first."""
        return list(self.machine.get(f"/apps/{self.name}/deployments?limit={limit}")["deployments"])

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


def cause_of(deployment: Any) -> str:
    return str(deployment["failure"] and deployment["failure"]["cause"])


STATE = "/var/lib/docker/volumes/changeover_state/_data"
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
    began, passed, why = time.monotonic(), False, ""
    try:
        with history:
            for _ in range(STEPS):
                history.go_on()
            history.end()
        passed = True
    except Exception as error:
        why = str(error)[:1000]
        raise
    finally:
        if soak:
            seconds = round(time.monotonic() - began, 1)
            keep_result(
                "histories", history=number, journal=journal, passed=passed, seconds=seconds, story=history.story,
                why=why,
            )  # fmt: skip
