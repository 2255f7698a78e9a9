"""No request fails, and nothing is lost, while releases come and go under load."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.proxy.runtime import Runtime
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import Stack, shop_config

LEAST_REQUESTS = 100_000
"""With `make soak`, however long this machine takes for them."""
DRAIN_S = 2.0


class RunningLoad:
    def __init__(self, stack: Stack, folder: Path) -> None:
        self.result_file = folder / "load.json"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.load", str(stack.port), "shop.test", str(self.result_file)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
        )

    def finish(self) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=90) == 0
        return json.loads(self.result_file.read_text())


@pytest.mark.alone
@pytest.mark.timeout(900)
def test_deployments_and_rollbacks_under_load_fail_no_request_and_lose_nothing(
    tmp_path: Path, repository: Repository, proxy_image: None, soak: bool
) -> None:
    rounds = 20 if soak else 3
    with Stack(tmp_path, shop_config(repository.path, drain_s=DRAIN_S)) as stack:
        first = stack.deploy()
        assert first["state"] == "live", first["failure"]
        # Each acknowledged switch: from when on, and which release must answer until the next one is asked for.
        switches: list[tuple[float, str, float]] = []
        load = RunningLoad(stack, tmp_path)
        for number in range(rounds):
            repository.change(f"Hello {number}")
            live = stack.deploy_to_live()
            acknowledged = time.monotonic()
            assert live["state"] == "live", live["failure"]
            time.sleep(0.5)  # so that there are requests to judge this switch by
            switches.append((acknowledged, live["version"], time.monotonic()))
            stack.wait_ended(live["id"])
            back = stack.rollback()
            acknowledged = time.monotonic()
            time.sleep(0.5)
            switches.append((acknowledged, back["version"], time.monotonic()))
            stack.wait_ended(back["id"])
        while soak and _requests_so_far(stack) < LEAST_REQUESTS:
            time.sleep(1)
        result = load.finish()
        counted = stack.ask("/orders").json()["orders"]
        containers = [container.name for container in stack.containers()]

    print(
        f"{len(result['answers'])} requests, {len(result['failures'])} failed, {result['orders']} orders, "
        f"{result['uploads']} uploads, {result['slow_answers']} slow answers, {len(result['sockets'])} WebSockets, "
        f"slowest {result['slowest_s']:.3f} s"
    )
    assert result["failures"] == []
    assert counted == result["orders"]
    assert len(containers) == 2, containers
    stale = [
        (began, release, version)
        for began, release in result["answers"]
        for acknowledged, version, until in switches
        if acknowledged < began < until and release != version
    ]
    assert stale == []
    assert {version for _, version, _ in switches} <= {release for _, release in result["answers"]}
    assert len(result["sockets"]) > rounds
    _assert_sockets_stayed_until_drained(result["sockets"], [moment for moment, _, _ in switches])


def _assert_sockets_stayed_until_drained(sockets: list[Any], switches: list[float]) -> None:
    """A WebSocket outlives the switch away from its release by the time that draining may take."""
    for socket in sockets[:-1]:
        after = [moment for moment in switches if moment > socket["opened"]]
        assert socket["closed"] - after[0] > DRAIN_S / 2, socket


def _requests_so_far(stack: Stack) -> int:
    """As the proxy counts them."""
    listing = asyncio.run(Runtime(stack.proxy_folder).worker.ask("show stat public 1 -1"))
    heading, row = listing.strip().splitlines()[:2]
    return int(dict(zip(heading.lstrip("# ").split(","), row.split(","), strict=True))["req_tot"])
