"""The engine itself is killed. It has a machine of its own, so that nobody else misses it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.test_migrations import TAKES_TIME
from tests.visitor import Visitor
from tests.whole_machine import Machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine(tmp_path_factory.mktemp("machine")) as running:
        yield running


def test_a_kill_of_the_engine_during_a_migration_changes_nothing_and_fails_no_request(machine: Machine) -> None:
    repository = machine.add_shop("shop")
    first = machine.deploy("shop")
    assert first["state"] == "live", first["failure"]
    before = machine.tables("shop")
    repository.write("migrations/versions/0002_receipts.py", TAKES_TIME)
    repository.commit("feat: receipts")

    with Visitor(machine, "shop.test") as visitor:
        asked = machine.post("/apps/shop/deployments")["id"]
        machine.until_said(asked, "half of it is done")
        machine.kill_engine()
        ended = machine.wait_ended(asked)
        time.sleep(0.5)

    assert ended["state"] == "failed", ended
    assert visitor.failures == []
    assert machine.tables("shop") == before
    assert set(visitor.orders) <= machine.orders("shop")
    assert len(visitor.orders) > 100
    assert machine.sidecars("shop") == []
    repository.git("revert", "--no-edit", "HEAD")
    assert machine.deploy("shop")["state"] == "live"
