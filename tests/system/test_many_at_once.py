"""Many apps deployed at once, while the configuration is saved again and again: every one of them becomes live.

A third of the apps have a migration under pause. The saves change routes, settings of the apps under deployment, and
the number of apps, which takes HAProxy a reload; one of them is broken for a moment, as an editor's half-written file.
`--soak`: twelve apps, five rounds, ten saves in each.
"""

from __future__ import annotations

import hashlib
import os
import random
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.results import keep_result
from tests.support.stack import Stack
from tests.support.stalls import Stalls, next_revision, stall_repository

KINDS = ("half-written", "reload", "setting", "route", "replaced")
GUESTS = 6
"""More than the spare backends: adding as many is a reload of HAProxy, and so is adding them again."""
VISIT_EVERY_S = 0.1


@dataclass(frozen=True)
class Size:
    apps: int
    rounds: int
    saves: int
    longest_gap_s: float
    """Between two saves."""


def size(soak: bool, rounds: int) -> Size:
    return Size(12, rounds or 5, 10, 2.0) if soak else Size(3, 1, 3, 0.6)


@pytest.mark.timeout(3600)
def test_apps_deployed_at_once_while_the_configuration_is_saved_are_all_live(
    tmp_path: Path, proxy_image: None, soak: bool, rounds: int
) -> None:
    wanted, seed = size(soak, rounds), secrets.randbelow(1_000_000)
    dice = random.Random(seed)
    repository = stall_repository(tmp_path)
    stalls = Stalls(repository.path, wanted.apps)
    ends: list[str] = []
    saved: list[str] = []
    with Stack(tmp_path, stalls.text()) as stack:
        for number in range(wanted.rounds):
            next_revision(repository)
            with visitors(stack, stalls.names if number else []) as failures:
                deployments, kinds = all_at_once(stack, stalls, dice, wanted)
            saved += kinds
            ends += [one["state"] for one in deployments]
            where = f"seed {seed}, round {number}"
            assert failures == [], where
            bad = [(one["app"], one["state"], one["failure"]) for one in deployments if one["state"] != "live"]
            assert not bad, f"{where}: {bad}\n{stack.what_was_logged()}"
            assert_in_use(stack, stalls, where)
            for one in deployments:
                assert_serves(stack, stalls, one, where)
            expected = {name for app in stalls.names for name in containers_of(stack.app(app))}
            assert {one.name for one in stack.containers()} == expected, where
    if soak:
        live = ends.count("live")
        keep_result("many-at-once", seed=seed, apps=wanted.apps, rounds=wanted.rounds, live=live, saves=saved)


def all_at_once(stack: Stack, stalls: Stalls, dice: random.Random, wanted: Size) -> tuple[list[Any], list[str]]:
    """Deploy every app at the same time, and save meanwhile. Gives the deployments, and each save with what it met."""
    with ThreadPoolExecutor(len(stalls.names)) as pool:
        started = [pool.submit(stack.post, f"/apps/{name}/deployments") for name in stalls.names]
        kinds = []
        for number in range(wanted.saves):
            time.sleep(dice.uniform(0, wanted.longest_gap_s))
            kind = KINDS[number % len(KINDS)]
            save(stack.config, stalls, dice, kind)
            under_way = sum(1 for app in stack.get("/apps")["apps"] if app["deployment"])
            kinds.append(f"{kind} with {under_way} under way")
        asked = [one.result()["id"] for one in started]
    return [stack.wait_ended(one) for one in asked], kinds


def save(file: Path, stalls: Stalls, dice: random.Random, kind: str) -> None:
    """One edit of the file, each as some editor writes it."""
    app = dice.choice(stalls.names)
    match kind:
        case "setting":
            stalls.settings[app] = stalls.settings.get(app, 0) + 1
        case "reload":
            stalls.guests = 0 if stalls.guests else GUESTS
        case _:
            stalls.hosts[app] = stalls.hosts.get(app, 0) + 1
    text = stalls.text()
    if kind == "half-written":
        file.write_text(text[: dice.randrange(len(text))])
        time.sleep(dice.uniform(0, 0.4))
    if kind == "replaced":
        new = file.with_suffix(".new")
        new.write_text(text)
        os.replace(new, file)
    else:
        file.write_text(text)


@contextmanager
def visitors(stack: Stack, apps: list[str]) -> Iterator[list[str]]:
    """One for each app: whatever is answered badly, or by another app, is noted."""
    failures: list[str] = []
    stop = threading.Event()

    def visit(app: str) -> None:
        with httpx.Client(headers={"Host": f"{app}.test"}, timeout=120) as client:
            while not stop.wait(VISIT_EVERY_S):
                try:
                    answer = client.get(stack.url("/"))
                except httpx.TransportError as error:
                    failures.append(f"{app}: {error!r}")
                    continue
                if answer.status_code != 200 or answer.json()["app"] != app:
                    failures.append(f"{app}: {answer.status_code} {answer.text[:200]}")

    threads = [threading.Thread(target=visit, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def assert_in_use(stack: Stack, stalls: Stalls, where: str) -> None:
    """The file that was saved last is the configuration."""
    digest = hashlib.sha256(stalls.text().encode()).hexdigest()
    stack.until(lambda: stack.get("/config")["digest"] == digest, f"{where}: the last save is read")
    assert stack.get("/config")["problems"] == [], where


def assert_serves(stack: Stack, stalls: Stalls, deployment: Any, where: str) -> None:
    """The release that was deployed answers on every host of its app, and on no other one."""
    app = deployment["app"]
    shown = stack.app(app)
    assert shown["troubles"] == [], where
    assert shown["active"]["version"] == deployment["version"], where
    for host in stalls.hosts_of(app):
        answer = stack.ask(host=host)
        assert answer.status_code == 200, (where, host, answer.text)
        assert answer.json() == {"app": app, "release": deployment["version"]}, (where, host)


def containers_of(app: Any) -> set[str]:
    return {slot["container"] for slot in (app["active"], app["standby"]) if slot}
