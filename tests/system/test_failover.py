"""The active container is killed under load, with a paused standby: what was not in its hands is answered."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.results import keep_result
from tests.support.shop import Shop, open_shop
from tests.support.stack import Stack

CLIENTS = 6
SLOWEST_S = 1.5
BACK_WITHIN_S = 30.0


@dataclass
class Asked:
    """What clients with a new connection for each request saw: when each began, how long it took, who answered."""

    answers: list[tuple[float, float, str]] = field(default_factory=list)
    failures: list[tuple[float, str]] = field(default_factory=list)


@contextmanager
def asking(stack: Stack) -> Iterator[Asked]:
    asked, stop = Asked(), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            began = time.monotonic()
            # The standard library's client: it costs little of a processor that the app and the proxy need, too.
            connection = HTTPConnection("127.0.0.1", stack.port, timeout=60)
            try:
                connection.request("GET", "/", headers={"Host": stack.host, "Connection": "close"})
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, HTTPException) as error:
                asked.failures.append((began, repr(error)))
                continue
            finally:
                connection.close()
            if answer.status == 200:
                asked.answers.append((began, time.monotonic() - began, json.loads(body)["release"]))
            else:
                asked.failures.append((began, f"{answer.status} {body[:80]!r}"))
            time.sleep(0.01)

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield asked
    finally:
        stop.set()
        for client in clients:
            client.join()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, proxy_image: None) -> Iterator[Shop]:
    """Two releases: the second is active, the first is its paused standby."""
    with open_shop(tmp_path_factory.mktemp("failover")) as shop:
        shop.deployed()
        shop.repository.change("The second one")
        live = shop.stack.deploy()
        assert live["state"] == "live", live["failure"]
        yield shop


def container(stack: Stack, slot: str) -> Any:
    return stack.engine.containers.get(stack.app()[slot]["container"])


def until_its_next_restart_is_quick(stack: Stack) -> None:
    """Docker doubles the pause before a restart, up to a minute, after each run of less than ten seconds."""
    pid = container(stack, "active").attrs["State"]["Pid"]
    began = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    time.sleep(max(0.0, began + 10.5 - time.clock_gettime(time.CLOCK_BOOTTIME)))


def kill(stack: Stack) -> float:
    """As the kernel's OOM killer would; returns when the process was gone."""
    pid = container(stack, "active").attrs["State"]["Pid"]
    os.kill(pid, signal.SIGKILL)
    while _runs(pid):
        time.sleep(0.0005)
    return time.monotonic()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until_at_rest(stack: Stack) -> None:
    stack.until(lambda: stack.app()["health"] == "healthy", "the active release has the traffic again")
    stack.until(lambda: container(stack, "standby").status == "paused", "the standby is paused again")


@pytest.mark.alone
@pytest.mark.timeout(3600)
def test_a_kill_of_the_active_container_fails_only_what_was_in_its_hands(shop: Shop, soak: bool, rounds: int) -> None:
    stack, rounds = shop.stack, rounds or (50 if soak else 1)
    releases = {stack.app()["active"]["version"], stack.app()["standby"]["version"]}
    slowest, lost, by_standby = [], 0, 0
    for number in range(rounds):
        if number:
            # Else it would be the second crash, after which the traffic goes back later.
            stack.restart_orchestrator()
        until_at_rest(stack)
        if number:
            until_its_next_restart_is_quick(stack)
        active = stack.app()["active"]["version"]
        with asking(stack) as asked:
            time.sleep(0.5)
            gone = kill(stack)
            time.sleep(3)
        late = [(began - gone, what) for began, what in asked.failures if began > gone]
        assert late == [], f"round {number}"
        assert {who for *_, who in asked.answers} <= releases
        slowest.append(max(took for began, took, _ in asked.answers if began > gone - 0.5))
        lost += len(asked.failures)
        by_standby += len([who for *_, who in asked.answers if who != active])

    print(f"{rounds} kills: slowest {max(slowest):.2f} s, {lost} lost in hand, {by_standby} answered by the standby")
    if soak:
        keep_result("kills", rounds=rounds, slowest_s=slowest, lost_in_hand=lost, by_standby=by_standby)
    assert max(slowest) < SLOWEST_S


def test_a_release_that_dies_again_and_again_is_red_and_its_standby_answers(shop: Shop) -> None:
    stack = shop.stack
    stack.restart_orchestrator()
    until_at_rest(stack)
    standby = stack.app()["standby"]["version"]

    with asking(stack) as asked:
        for _ in range(3):
            gone = kill(stack)
            stack.until(lambda: container(stack, "active").status == "running", "Docker restarts it")
            time.sleep(1)
        health = stack.app()["health"]
        said = stack.command("status").stdout

    assert [what for began, what in asked.failures if began > gone] == []
    assert health == "standby"
    assert "standby" in said
    assert asked.answers[-1][2] == standby


def test_a_rollback_wakes_the_standby_and_its_first_hundred_answers_are_good(shop: Shop, soak: bool) -> None:
    stack = shop.stack
    stack.restart_orchestrator()
    until_at_rest(stack)
    for _ in range(20 if soak else 1):
        goal = stack.app()["standby"]["version"]
        assert container(stack, "standby").status == "paused"
        back = stack.rollback()
        with httpx.Client(headers={"Host": stack.host}) as client:
            answers = [client.get(stack.url("/")) for _ in range(100)]
        assert back["state"] == "live"
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["release"] for answer in answers} == {goal}
        stack.wait_ended(back["id"])
        policies = [
            container(stack, slot).attrs["HostConfig"]["RestartPolicy"]["Name"] for slot in ("active", "standby")
        ]
        assert policies == ["unless-stopped", "no"]
