"""A backup of much data while much is written: one consistent moment, and the shop hardly notices.

50 MB with `make test`; `make soak` asks for 1 GB with `--large-mb 1024`, and holds the shop's p99 to its promise.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.support.in_container import printed_in
from tests.support.orders import Ordering, Orders
from tests.support.shop import Shop
from tests.support.stack import Stack

RATE = 500
QUIET_S = 1.0
QUIET_IN_SOAK_S = 10.0
"""Before the backup and after it, to compare with: a machine that others use, too, is never the same for long."""
FILL = """
import os, sqlite3, sys
database = sqlite3.connect("/data/shop.db", timeout=30)
database.execute("CREATE TABLE IF NOT EXISTS pictures (id INTEGER PRIMARY KEY, content BLOB)")
for _ in range(int(sys.argv[1])):
    with database:
        database.execute("INSERT INTO pictures (content) VALUES (?)", (os.urandom(2**19) + bytes(2**19),))
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
"""
READ = """
import json, sqlite3
database = sqlite3.connect("file:/data/shop.db?mode=ro", uri=True)
check = database.execute("PRAGMA integrity_check").fetchone()[0]
print(json.dumps([check, [row[0] for row in database.execute("SELECT id FROM orders WHERE id LIKE 'w%'")]]))
"""


def in_shop(stack: Stack, script: str, *arguments: str) -> str:
    return printed_in(stack.app()["active"]["container"], "python", "-c", script, *arguments)


def orders_there(stack: Stack) -> set[str]:
    check, orders = json.loads(in_shop(stack, READ))
    assert check == "ok"
    return set(orders)


def assert_one_moment(there: set[str]) -> None:
    """Of each writer's orders, which came one after another, there are the first ones and none is missing."""
    by_writer: dict[str, list[int]] = {}
    for order in there:
        writer, _, number = order.rpartition("-")
        by_writer.setdefault(writer, []).append(int(number))
    for writer, numbers in by_writer.items():
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), f"{writer} has gaps"


@pytest.mark.alone
@pytest.mark.timeout(900)
def test_a_large_backup_under_writes_is_one_moment_and_the_shop_goes_on(
    shop: Shop, tmp_path: Path, large_mb: int, soak: bool
) -> None:
    stack, quiet_s = shop.stack, QUIET_IN_SOAK_S if soak else QUIET_S
    shop.deployed()
    in_shop(stack, FILL, str(large_mb))

    with Ordering(stack, tmp_path, RATE) as ordering:
        time.sleep(1)
        quiet_from = time.monotonic()
        time.sleep(quiet_s)
        backup_from = time.monotonic()
        made = stack.command("backup", "create", "shop", "--json")
        backup_to = time.monotonic()
        time.sleep(quiet_s)
        quiet_to = time.monotonic()
    orders: Orders = ordering.result
    assert made.returncode == 0, made.stderr
    backup = json.loads(made.stdout)
    checked = stack.command("backup", "verify", "shop", backup["id"])
    everything = orders_there(stack)
    restored = stack.command("backup", "restore", "shop", backup["id"], "--yes")
    there = orders_there(stack)

    quiet = orders.p99((quiet_from, backup_from), (backup_to, quiet_to))
    during = orders.p99((backup_from, backup_to))
    print(
        f"{backup['data_size'] / 2**20:.0f} MB in {backup_to - backup_from:.1f} s under {orders.rate:.0f} rows/s; "
        f"p99 {quiet * 1000:.1f} ms before and after, {during * 1000:.1f} ms meanwhile: {during / quiet:.2f} times"
    )
    assert orders.failures == []
    assert orders.ids() <= everything
    assert checked.returncode == 0, checked.stderr
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert there < everything
    assert there
    assert_one_moment(there)
    assert stack.app()["health"] == "healthy"
    if soak:
        assert orders.rate > 0.95 * RATE
        assert during <= 2 * quiet
