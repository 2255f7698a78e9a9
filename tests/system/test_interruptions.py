"""A kill at any point leaves one active colour, no lock and nothing behind."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.points import one_of_each_kind
from tests.support.shop import Shop
from tests.support.stack import Stack
from tests.support.visitor import Visitor

STEPS = ("prepare", "fetch", "build", "backup", "migrate", "start", "verify", "switch", "retire")
POINTS = [f"{step}:{moment}" for step in STEPS for moment in ("begun", "unrecorded")] + ["switch:files"]
KINDS = (
    "build:begun",  # nothing was done yet
    "migrate:unrecorded",  # the data was changed
    "start:unrecorded",  # the candidate runs
    "verify:begun",  # the candidate is being tried
    "switch:begun",  # the switch is intended
    "switch:files",  # the proxy's files say other than the running proxy
    "switch:unrecorded",  # the traffic has moved
    "retire:begun",  # the old colour is still there
)
BACK = ("switch:begun", "switch:files", "switch:unrecorded")


@pytest.mark.parametrize("point", one_of_each_kind(POINTS, KINDS))
def test_a_kill_of_the_orchestrator_during_a_deployment_is_finished_or_undone_at_its_restart(
    shop: Shop, point: str
) -> None:
    stack, repository = shop.stack, shop.repository
    old = shop.deployed()
    stack.restart_orchestrator(kill_at=point)
    repository.change(f"Interrupted at {point}")

    with Visitor(stack) as visitor:
        asked = stack.post("/apps/shop/deployments")["id"]
        stack.wait_killed()
        time.sleep(0.2)  # visits without an orchestrator
        stack.restart_orchestrator()
        ended = stack.wait_ended(asked)
        time.sleep(0.2)

    assert visitor.failures == []
    step = point.split(":")[0]
    expected = "live" if step in ("switch", "retire") else "failed"
    assert ended["state"] == expected, ended
    active = stack.app()["active"]
    assert active["version"] == (ended["version"] if expected == "live" else old)
    assert stack.ask().json()["release"] == active["version"]
    if expected == "failed":
        assert visitor.releases == {old}
        assert step in ended["failure"]["cause"]
    assert stack.app()["deployment"] is None
    held = {slot["container"] for slot in (active, stack.app()["standby"]) if slot}
    assert {container.name for container in stack.containers()} == held
    assert list((stack.state / "work").glob("*")) == []
    assert not any(one["state"] == "running" for one in stack.get(f"/deployments/{asked}")["steps"])
    again = stack.deploy()
    assert again["state"] == "live", again["failure"]


@pytest.mark.parametrize("point", one_of_each_kind(BACK, ["switch:files"]))
def test_a_kill_of_the_orchestrator_during_a_rollback_is_finished_at_its_restart(shop: Shop, point: str) -> None:
    stack, repository = shop.stack, shop.repository
    shop.deployed()
    repository.change(f"To be left at {point}")
    left = stack.deploy()
    target = stack.app()["standby"]
    stack.restart_orchestrator(kill_at=point)

    with Visitor(stack) as visitor:
        with pytest.raises(httpx.TransportError):
            stack.rollback()
        stack.wait_killed()
        stack.restart_orchestrator()
        stack.wait_idle()
        time.sleep(0.2)

    app = stack.app()
    assert visitor.failures == []
    assert app["active"]["container"] == target["container"]
    assert app["standby"]["container"] == left["container"]
    assert stack.ask().json()["release"] == target["version"]
    assert {container.name for container in stack.containers()} == {target["container"], left["container"]}
    assert stack.get(f"/deployments/{left['id']}")["state"] == "rolled_back"
    assert app["update"] is None, "what somebody went back from is not offered again"


def test_a_kill_while_nothing_is_deployed_changes_nothing(shop: Shop) -> None:
    stack = shop.stack
    version = shop.deployed()

    with Visitor(stack) as visitor:
        stack.restart_orchestrator()

    assert visitor.failures == []
    assert visitor.releases == {version}


def test_a_restarted_proxy_keeps_the_traffic_where_it_was_without_the_orchestrator(shop: Shop) -> None:
    stack, repository = shop.stack, shop.repository
    shop.deployed()
    repository.change("Before the proxy restarts")
    version = stack.deploy()["version"]
    stack.kill_orchestrator()
    proxy = stack.engine.containers.get(f"{stack.name}-proxy")

    proxy.restart(timeout=5)

    answer = stack.until_it_answers()
    assert answer.json()["release"] == version
    stack.start_orchestrator()
    assert stack.deploy()["state"] == "live"


def test_a_restarted_proxy_still_pauses_what_was_paused(shop: Shop) -> None:
    stack = shop.stack
    version = shop.deployed()
    assert stack.command("hold", "shop").returncode == 0
    proxy = stack.engine.containers.get(f"{stack.name}-proxy")

    proxy.kill()
    proxy.start()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(stack.until_it_answers)
        time.sleep(1.5)
        held = not waiting.done()
        stack.command("release", "shop")
        answer = waiting.result(timeout=60)

    assert held
    assert answer.json()["release"] == version


def test_an_active_container_that_was_removed_is_made_again_at_the_next_start(shop: Shop) -> None:
    stack = shop.stack
    version = shop.deployed()
    container = stack.app()["active"]["container"]
    order = stack.post_order("before the accident")
    stack.kill_orchestrator()
    stack.engine.containers.get(container).remove(force=True)

    stack.start_orchestrator()

    assert order.is_success
    assert stack.ask().json()["release"] == version
    assert stack.app()["active"]["container"] == container
    assert stack.ask("/orders").json()["orders"] >= 1


def test_a_proxy_that_lost_its_files_is_given_them_again(shop: Shop) -> None:
    stack = shop.stack
    version = shop.deployed()
    stack.kill_orchestrator()
    proxy = stack.engine.containers.get(f"{stack.name}-proxy")
    proxy.stop(timeout=5)
    for file in stack.proxy_folder.iterdir():
        file.unlink()

    stack.start_orchestrator(wait=False)
    stack.until_files_are_back()
    proxy.start()
    stack.wait_ready()

    assert stack.until_it_answers().json()["release"] == version


def test_a_journal_that_was_lost_is_rebuilt_from_what_runs(shop: Shop) -> None:
    stack = shop.stack
    shop.deployed()
    shop.repository.change("Before the journal is lost")
    stack.deploy()
    before = stack.app()

    with Visitor(stack) as visitor:
        stack.kill_orchestrator()
        for file in stack.state.glob("journal.db*"):
            file.unlink()
        stack.start_orchestrator()
        after = stack.app()
        back = stack.rollback()
        time.sleep(0.2)

    assert visitor.failures == []
    for slot in ("active", "standby"):
        for key in ("colour", "version", "revision", "image", "container"):
            assert after[slot][key] == before[slot][key]
    assert back["state"] == "live"
    assert stack.ask().json()["release"] == before["standby"]["version"]


def test_a_second_orchestrator_on_the_same_journal_is_refused(shop: Shop) -> None:
    shop.deployed()

    code, said = shop.stack.second_orchestrator()

    assert code == 3
    assert "Another orchestrator" in said


def _status(stack: Stack, slot: str) -> str:
    return str(stack.engine.containers.get(stack.app()[slot]["container"]).status)


def test_a_kill_of_the_active_container_is_bridged_by_the_standby_until_it_is_back(shop: Shop) -> None:
    """Only the request that was in the hands of the killed process is lost; it is never sent a second time."""
    stack = shop.stack
    shop.deployed()
    shop.repository.change("To be killed")
    version = stack.deploy()["version"]
    container = stack.engine.containers.get(stack.app()["active"]["container"])

    with Visitor(stack) as visitor:
        time.sleep(0.3)
        os.kill(int(container.attrs["State"]["Pid"]), signal.SIGKILL)
        stack.until_release(version, restarted=container)
        time.sleep(0.5)

    assert len(visitor.failures) <= 1
    assert stack.ask().json()["release"] == version

    # With nobody who could wake the standby: requests wait until the engine has restarted the container.
    stack.until(lambda: _status(stack, "standby") == "paused", "the standby is paused again")
    standby = stack.app()["standby"]["container"]
    stack.kill_orchestrator()
    with Visitor(stack) as visitor:
        time.sleep(0.3)
        container.reload()
        os.kill(int(container.attrs["State"]["Pid"]), signal.SIGKILL)
        stack.until_release(version, restarted=container)
        time.sleep(0.5)

    assert len(visitor.failures) <= 1
    assert visitor.releases == {version}
    assert stack.engine.containers.get(standby).status == "paused"

    # The engine does not restart what `docker kill` ended: the next start of the orchestrator does.
    container.kill()
    stack.start_orchestrator()
    assert stack.until_it_answers().json()["release"] == version
