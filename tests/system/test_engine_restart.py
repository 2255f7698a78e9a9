"""The engine is restarted: a paused standby is paused again, and its work is not done twice; a sidecar that outlives it
is not believed.

On a machine of its own, because an engine of others may not be restarted. The shop has a timer here.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.whole_machine import Machine

STATUS = (ROOT / "examples" / "shop" / "migrations" / "status.py").read_text()

TIMER = """

def _work() -> None:
    import time

    while True:
        with open("/data/ticks", "a") as file:
            file.write(f"{RELEASE}\\n")
        time.sleep(0.1)


__import__("threading").Thread(target=_work, daemon=True).start()
"""
TICKS = "/var/lib/docker/volumes/changeover-shop-data/_data/ticks"
RECEIPTS = """
import time
from alembic import op
revision, down_revision = "{revision}", "{previous}"
def upgrade():
    op.execute("CREATE TABLE receipts_{revision} (id TEXT)")
    print("the migration begins", flush=True)
    time.sleep({pause_s})
def downgrade():
    op.execute("DROP TABLE receipts_{revision}")
"""
ASKS = """import time

print("the report begins", flush=True)
time.sleep({pause_s})
"""
"""In front of the status command of the shop."""
LONG_ENOUGH_S = 2.0
MOST_MEANWHILE = 100
"""Ten seconds: a restarted engine may let a paused container run, until the orchestrator has heard of it."""

pytestmark = [pytest.mark.soak, pytest.mark.alone, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine(tmp_path_factory.mktemp("machine")) as machine:
        yield machine


@pytest.fixture(scope="module", autouse=True)
def repository(machine: Machine) -> Repository:
    """Of the shop, of which two releases were deployed."""
    repository = machine.add_shop("shop")
    repository.write("shop.py", (repository.path / "shop.py").read_text() + TIMER)
    repository.commit("feat: a timer")
    for _ in range(2):
        live = machine.deploy("shop")
        assert live["state"] == "live", live["failure"]
        repository.change("The next one")
    return repository


def status_of(machine: Machine, slot: str) -> str:
    container = machine.app("shop")[slot]["container"]
    return machine.run("docker", "inspect", "-f", "{{.State.Status}}", container, check=False).strip()


def ticks(machine: Machine) -> Counter[str]:
    """How often the timer of each release has worked."""
    return Counter(machine.run("cat", TICKS).split())


def assert_the_active_release_works_alone(machine: Machine) -> None:
    active, standby = (machine.app("shop")[slot]["version"] for slot in ("active", "standby"))
    before = ticks(machine)
    time.sleep(LONG_ENOUGH_S)
    worked = ticks(machine) - before
    assert worked[active] > 0
    assert worked[standby] == 0, worked


def test_after_a_restart_of_the_engine_the_standby_does_no_work_and_the_active_release_serves(machine: Machine) -> None:
    """With `live-restore`, which lets containers outlive their engine. Without it the engine stops all of them, and
    starts none that has no restart policy, as a standby."""
    active, standby = (machine.app("shop")[slot]["version"] for slot in ("active", "standby"))
    machine.until(lambda: status_of(machine, "standby") == "paused", "the standby is paused")
    assert_the_active_release_works_alone(machine)
    before = ticks(machine)

    machine.kill_engine()
    machine.wait_engine()
    machine.wait_ready()

    machine.until(lambda: status_of(machine, "active") == "running", "the active release runs")
    machine.until(lambda: status_of(machine, "standby") == "paused", "the standby is paused")
    assert machine.answers("shop")["release"] == active
    worked = (ticks(machine) - before)[standby]
    print(f"the standby worked {worked} times meanwhile")
    assert worked <= MOST_MEANWHILE
    assert_the_active_release_works_alone(machine)


@pytest.mark.parametrize("of", ["report", "migration"])
@pytest.mark.parametrize("pause_s", [0.5, 8], ids=["ends while Docker is away", "outlives Docker"])
def test_no_release_goes_live_without_its_migrations_when_docker_is_restarted_during_their(
    machine: Machine, repository: Repository, of: str, pause_s: float
) -> None:
    """A report that is cut says of no migration that it is pending: without an error, the release needed none."""
    active, tables = machine.app("shop")["active"]["version"], machine.tables("shop")
    previous = tables[-1][0][0]
    revision = f"{int(previous) + 1:04}"
    waits = {"report": 0.0, "migration": 0.0} | {of: pause_s}
    migration = RECEIPTS.format(revision=revision, previous=previous, pause_s=waits["migration"])
    repository.write(f"migrations/versions/{revision}_receipts.py", migration)
    repository.write("migrations/status.py", ASKS.format(pause_s=waits["report"]) + STATUS)
    repository.commit("feat: receipts")

    asked = machine.post("/apps/shop/deployments")["id"]
    machine.until_said(asked, f"the {of} begins")
    machine.kill_engine()
    machine.wait_engine()
    machine.wait_ready()

    ended = machine.wait_ended(asked)
    print(f"{of}, {pause_s} s: {ended['state']}, {ended['failure']}")
    machine.until(lambda: not machine.sidecars("shop"), "no sidecar is left")
    if ended["state"] != "live":
        assert machine.app("shop")["active"]["version"] == active
        assert machine.tables("shop") == tables
        ended = machine.deploy("shop")
    assert ended["state"] == "live", ended["failure"]
    assert machine.tables("shop")[-1] == [[revision]]
    assert machine.answers("shop")["release"] == ended["version"]
