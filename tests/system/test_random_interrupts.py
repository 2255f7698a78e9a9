"""Cancels, stops and configuration changes at random moments on a real engine. The fakes have a thousand of them."""

from __future__ import annotations

import random
import secrets
import signal
import time

import httpx
import pytest

from orchestrator.engine.base import LABEL_ROLE, Role
from tests.support.repository import Repository
from tests.support.results import keep_result
from tests.support.stack import Stack, shop_config

ROUNDS = 100
LONGEST_S = 8.0
"""A deployment of the shop takes about this long on a busy machine."""


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_whatever_is_interrupted_at_random_is_told_truly_and_leaves_nothing(
    stack: Stack, repository: Repository, request: pytest.FixtureRequest
) -> None:
    seed = secrets.randbelow(1_000_000)
    dice = random.Random(seed)
    live = stack.deploy()
    assert live["state"] == "live", live["failure"]
    rounds = request.config.getoption("--rounds") or ROUNDS
    for number in range(rounds):
        where = f"seed {seed}, round {number}"
        act(stack, repository, dice, number)
        for strike in dice.choices(("cancel", "configuration", "stop", "nothing"), k=dice.randint(1, 3)):
            time.sleep(dice.uniform(0, LONGEST_S / 2))
            interrupt(stack, repository, dice, strike)
        until_idle(stack)
        assert_whole(stack, where)
    repository.change("The end")
    last = stack.deploy()
    assert last["state"] == "live", last["failure"]
    keep_result("interrupts", on="engine", rounds=rounds, seed=seed)


def act(stack: Stack, repository: Repository, dice: random.Random, number: int) -> None:
    """Ask for a deployment, a rollback or a restore, and do not wait for it."""
    match dice.choice(("deploy", "deploy", "rollback", "restore")):
        case "deploy":
            repository.change(f"Hello {number}")
            stack.post("/apps/shop/deployments")
        case "rollback":
            ask_and_leave(stack, "/apps/shop/rollback")
        case "restore":
            made = stack.get("/apps/shop/backups")["backups"]
            if made:
                ask_and_leave(stack, f"/apps/shop/backups/{dice.choice(made)['id']}/restore")


def ask_and_leave(stack: Stack, path: str) -> None:
    """The answer comes when it has ended; who asks goes away before."""
    try:
        headers = {"Authorization": f"Bearer {stack.token}"}
        httpx.post(f"{stack.api}/v1{path}", headers=headers, timeout=0.3)
    except httpx.TransportError:
        pass  # the work goes on


def interrupt(stack: Stack, repository: Repository, dice: random.Random, strike: str) -> None:
    match strike:
        case "cancel":
            if under_way := stack.app()["deployment"]:
                stack.request("POST", f"/deployments/{under_way['id']}/cancel")
        case "configuration":
            stack.set_config(shop_config(repository.path, drain_s=dice.choice((1, 2, 3))))
        case "stop":
            assert stack.kill_orchestrator(signal.SIGTERM) is not None
            stack.start_orchestrator()


def until_idle(stack: Stack) -> None:
    """Until nothing is under way. What was asked for looks at the backups, in a sidecar, before it is recorded."""
    stack.wait_idle()
    stack.until(lambda: not [one for one in stack.containers() if one.labels[LABEL_ROLE] == Role.SIDECAR], "no sidecar")
    time.sleep(0.5)
    stack.wait_idle()


def assert_whole(stack: Stack, where: str) -> None:
    """One active release that answers, a standby at most, and nothing else; the history says so."""
    app = stack.app()
    stack.until(lambda: stack.app()["health"] == "healthy", f"{where}: the shop is healthy")
    assert stack.until_it_answers().json()["release"] == app["active"]["version"], where
    expected = {slot["container"] for slot in (app["active"], app["standby"]) if slot}
    # A standby that is to be paused may be looked at once more, in a sidecar that ends by itself.
    stack.until(
        lambda: {one.name for one in stack.containers()} == expected, f"{where}: nothing but {expected} is left"
    )
    history = stack.get("/apps/shop/deployments?limit=500")["deployments"]
    assert all(one["ended_at"] for one in history), where
    assert app["troubles"] == [], where
    assert not list((stack.state / "work").glob("*")), f"{where}: a source is left"
    assert not list((stack.state / "sources").rglob("*.lock")), f"{where}: the mirror is locked"
