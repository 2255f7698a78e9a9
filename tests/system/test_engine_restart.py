"""The engine is restarted while a standby is paused: the standby is paused again, and its work is not done twice.

On a machine of its own, because an engine of others may not be restarted. The shop has a timer here.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.whole_machine import Machine

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
LONG_ENOUGH_S = 2.0
MOST_MEANWHILE = 100
"""Ten seconds: a restarted engine may let a paused container run, until the orchestrator has heard of it."""

pytestmark = [pytest.mark.soak, pytest.mark.alone, pytest.mark.timeout(1200)]


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine(tmp_path_factory.mktemp("machine")) as machine:
        repository = machine.add_shop("shop")
        repository.write("shop.py", (repository.path / "shop.py").read_text() + TIMER)
        repository.commit("feat: a timer")
        for _ in range(2):
            live = machine.deploy("shop")
            assert live["state"] == "live", live["failure"]
            repository.change("The next one")
        yield machine


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
