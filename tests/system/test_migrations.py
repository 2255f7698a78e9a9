"""A migration that goes wrong, however it goes wrong, leaves the data as the old release wrote it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.migrations import TAKES_TIME
from tests.support.orders import ORDERS_PER_S, Ordering, Orders
from tests.support.postgres import Postgres
from tests.support.shop import Contents, Shop, open_shop
from tests.support.visitor import Visitor

# The third statement copies rows until it meets one that may not be there.
FAILS_HALF_WAY = """
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade():
    op.execute("CREATE TABLE receipts (id TEXT CHECK (id NOT LIKE '%the-bad-one'))")
    op.execute("UPDATE orders SET release = 'rewritten'")
    op.execute("INSERT INTO receipts SELECT id FROM orders ORDER BY id")
def downgrade():
    pass
"""


@pytest.fixture(scope="module")
def shop(
    database: str, tmp_path_factory: pytest.TempPathFactory, proxy_image: None, postgres: Postgres
) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop"), postgres if database == "postgresql" else None) as shop:
        yield shop


@pytest.fixture
def migration(shop: Shop) -> Iterator[Callable[[str], None]]:
    """Commits a second revision; it is gone again after the test."""
    shop.deployed()
    good = shop.repository.git("rev-parse", "HEAD")

    def commit(text: str) -> None:
        shop.repository.write("migrations/versions/0002_receipts.py", text)
        shop.repository.commit("feat: receipts")

    yield commit
    shop.repository.git("reset", "--quiet", "--hard", good)


@dataclass
class Seen:
    """What customers saw: one who looks around, and orders that come at a steady rate.

    The update is after `from_then_on`. In it, whoever has SQLite's one write lock makes the others wait.
    """

    visitor: Visitor
    orders: Orders
    from_then_on: float


@pytest.fixture
def customers(shop: Shop, tmp_path: Path) -> Iterator[Callable[[], Seen]]:
    """They order all the while; called, they stop and say what they saw."""
    shop.deployed()
    with ExitStack() as open_now:
        visitor = open_now.enter_context(Visitor(shop.stack))
        ordering = open_now.enter_context(Ordering(shop.stack, tmp_path, ORDERS_PER_S))
        time.sleep(1)
        now = time.monotonic()

        def stop() -> Seen:
            open_now.close()
            return Seen(visitor, ordering.result, now)

        yield stop


def assert_untouched(before: Contents, after: Contents, seen: Seen) -> None:
    print(f"{seen.orders.count} orders, {seen.orders.rate:.0f} a second")
    assert seen.visitor.failures == []
    assert seen.orders.failures == []
    assert seen.orders.count_since(seen.from_then_on) > 0, "nobody ordered during the update"
    assert after.tables == before.tables
    assert after.revision == before.revision == "0001"
    assert {*seen.visitor.orders, *seen.orders.ids()} <= after.orders, "an acknowledged order is lost"
    assert before.orders <= after.orders


@dataclass
class HalfWay:
    """A migration that has two statements done and its transaction open, and what the database was before."""

    deployment: str
    before: Contents


@pytest.fixture
def half_way(shop: Shop, migration: Callable[[str], None], customers: Callable[[], Seen]) -> HalfWay:
    before = shop.contents()
    migration(TAKES_TIME)
    asked = shop.stack.post("/apps/shop/deployments")["id"]
    shop.stack.until_said(asked, "half of it is done")
    return HalfWay(asked, before)


def test_a_migration_that_fails_half_way_changes_nothing_and_loses_no_row(
    shop: Shop, migration: Callable[[str], None], customers: Callable[[], Seen]
) -> None:
    stack = shop.stack
    before = shop.contents()
    assert stack.post_order("zzz-the-bad-one").is_success
    migration(FAILS_HALF_WAY)

    ended = stack.deploy()
    time.sleep(0.5)
    seen = customers()

    assert ended["state"] == "failed"
    assert ended["failure"]["step"] == "migrate", ended["failure"]
    assert any("check constraint" in line.lower() for line in ended["failure"]["log"])
    assert_untouched(before, shop.contents(), seen)


def test_a_kill_of_the_sidecar_half_way_changes_nothing_and_loses_no_row(
    shop: Shop, half_way: HalfWay, customers: Callable[[], Seen]
) -> None:
    stack = shop.stack

    labels = [f"changeover.deployment={half_way.deployment}", "changeover.role=sidecar"]
    (sidecar,) = stack.engine.containers.list(filters={"label": labels}, ignore_removed=True)
    sidecar.kill()
    ended = stack.wait_ended(half_way.deployment)
    seen = customers()

    assert ended["state"] == "failed"
    assert ended["failure"]["exit_code"] == 137
    assert_untouched(half_way.before, shop.contents(), seen)


def test_a_kill_of_the_orchestrator_half_way_changes_nothing_and_loses_no_row(
    shop: Shop, half_way: HalfWay, customers: Callable[[], Seen]
) -> None:
    stack = shop.stack

    stack.restart_orchestrator()
    ended = stack.wait_ended(half_way.deployment)
    seen = customers()

    assert ended["state"] == "failed"
    assert ended["failure"]["step"] == "migrate", ended["failure"]
    assert_untouched(half_way.before, shop.contents(), seen)
    assert len(stack.containers()) <= 2


def test_a_migration_that_takes_too_long_is_stopped_at_its_deadline(
    shop: Shop, migration: Callable[[str], None], customers: Callable[[], Seen]
) -> None:
    stack = shop.stack
    before = shop.contents()
    text = stack.config.read_text()
    stack.set_config(text.replace("timeout: 60", "timeout: 2"))
    migration(TAKES_TIME)
    try:
        ended = stack.deploy()
    finally:
        stack.set_config(text)
    seen = customers()

    assert ended["state"] == "failed"
    assert "took longer than 2 s" in ended["failure"]["cause"]
    assert_untouched(before, shop.contents(), seen)
