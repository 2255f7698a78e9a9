"""Backups before updates and on demand, their retention, and the way back to one."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from orchestrator.backup_sidecar.reason import is_by_hand
from orchestrator.engine.base import LABEL_ROLE, Role
from tests.support.points import one_of_each_kind
from tests.support.shop import Shop
from tests.support.visitor import Visitor

POINTS = (
    "backup:begun",
    "backup:unrecorded",
    "migrate:begun",
    "data:unrecorded",
    "migrate:unrecorded",
    "start:begun",
    "verify:begun",
)
KINDS = ("backup:begun", "data:unrecorded")


def test_a_backup_is_made_checked_and_restored_under_load_without_a_failed_request(shop: Shop) -> None:
    stack = shop.stack
    shop.deployed()
    with Visitor(stack) as first:
        made = stack.command("backup", "create", "shop", "--json")
        assert made.returncode == 0, made.stderr
    backup = json.loads(made.stdout)["id"]
    ordered_before = stack.ask("/orders").json()["orders"]
    checked = stack.command("backup", "verify", "shop", backup, "--json")

    with Visitor(stack) as second:
        restored = stack.command("backup", "restore", "shop", backup, "--yes", "--json")
    ordered_after = stack.ask("/orders").json()["orders"]

    assert first.failures == []
    assert second.failures == []
    assert checked.returncode == 0
    assert restored.returncode == 0, restored.stderr
    outcome = json.loads(restored.stdout)
    assert outcome["kind"] == "restore"
    assert outcome["ref"] == backup
    assert outcome["paused"] > 0
    assert json.loads(checked.stdout)["schemas"] == {"data/shop.db": "0001"}
    assert ordered_after <= ordered_before + len(second.orders)
    assert stack.app()["health"] == "healthy"
    # What was replaced can be had again.
    back = stack.command("backup", "restore", "shop", outcome["backup"], "--yes")
    assert back.returncode == 0, back.stderr
    assert stack.ask("/orders").json()["orders"] >= ordered_before
    assert stack.deploy()["state"] == "live"
    _vanish_and_come_back(shop)


def _vanish_and_come_back(shop: Shop) -> None:
    """The data volume is removed, as by `docker system prune --volumes` while the containers are gone."""
    stack, volume = shop.stack, f"{shop.stack.name}-shop-data"
    newest = stack.post("/apps/shop/backups")["id"]
    ordered = stack.ask("/orders").json()["orders"]
    stack.kill_orchestrator()
    for container in stack.containers():
        container.remove(force=True, v=True)
    stack.engine.volumes.get(volume).remove()

    stack.start_orchestrator()

    stack.until(lambda: stack.app()["health"] not in ("healthy", "none"), "the app is red")
    app = stack.app()
    status = stack.command("status")
    doctor = stack.command("doctor")
    assert "does not exist any more" in app["troubles"][0]["says"]
    assert f"changeover backup restore shop {newest}" in status.stdout
    assert f"changeover backup restore shop {newest}" in doctor.stdout
    # The lists of backups, by which the remedy is known, are containers, too.
    assert [one.name for one in stack.containers() if one.labels[LABEL_ROLE] == Role.APP] == []
    assert volume not in {one.name for one in stack.engine.volumes.list()}, "no empty one takes its place"
    back = stack.command("backup", "restore", "shop", newest, "--yes")
    assert back.returncode == 0, back.stderr
    stack.until_it_answers()
    assert stack.ask("/orders").json()["orders"] == ordered


@pytest.mark.timeout(400)
def test_after_many_updates_the_newest_backups_are_left_each_of_them_whole(shop: Shop, soak: bool) -> None:
    stack, keep = shop.stack, 5 if soak else 2
    shop.deployed()
    text = stack.config.read_text()
    stack.set_config(text.replace("branch: main}}", f"branch: main}}, backup: {{keep_backups: {keep}}}}}"))
    for number in range(12 if soak else 3):
        shop.repository.change(f"Update {number}")
        ended = stack.deploy()
        assert ended["state"] == "live", ended["failure"]

    listed = stack.get("/apps/shop/backups")["backups"]

    # And the first one of the day, or of two days if one ended meanwhile.
    assert keep < len(listed) <= keep + 2
    assert all(backup["reason"].startswith("before deployment") for backup in listed[:keep])
    for backup in listed:
        checked = stack.command("backup", "verify", "shop", backup["id"])
        assert checked.returncode == 0, checked.stderr
    kept = [path.name for path in (stack.state / "backups" / "shop").iterdir() if path.is_dir()]
    assert sorted(kept) == sorted(backup["id"] for backup in listed)
    stack.set_config(text)


def test_a_damaged_backup_is_refused_and_the_shop_goes_on(shop: Shop) -> None:
    stack = shop.stack
    shop.deployed()
    backup = stack.post("/apps/shop/backups")["id"]
    packed = stack.state / "backups" / "shop" / backup / "data.tar.gz"
    content = bytearray(packed.read_bytes())
    content[len(content) // 2] ^= 1
    packed.write_bytes(content)

    with Visitor(stack) as visitor:
        checked = stack.command("backup", "verify", "shop", backup)
        restored = stack.command("backup", "restore", "shop", backup, "--yes")

    for ended in (checked, restored):
        assert ended.returncode == 1
        assert "checksum differs" in ended.stdout + ended.stderr
    assert visitor.failures == []
    assert visitor.answers


def test_a_backup_that_does_not_exist_is_a_usage_error(shop: Shop) -> None:
    shop.deployed()

    ended = shop.stack.command("backup", "verify", "shop", "20000101-000000-000000")

    assert ended.returncode == 2
    assert "has no backup" in ended.stderr


def test_a_backup_that_cannot_be_read_is_listed_as_damaged_and_never_takes_the_place_of_a_good_one(shop: Shop) -> None:
    stack = shop.stack
    shop.deployed()
    folder = stack.state / "backups" / "shop"
    broken = stack.post("/apps/shop/backups")["id"]
    (folder / broken / "manifest.json").write_text("{}")

    listed = stack.command("backup", "list", "shop")
    verified = stack.command("backup", "verify", "shop", broken)
    restored = stack.command("backup", "restore", "shop", broken, "--yes")
    good = [stack.post("/apps/shop/backups")["id"] for _ in range(5)]

    row = next(line for line in listed.stdout.splitlines() if broken in line)
    assert "its manifest cannot be read" in row
    for ended in (verified, restored):
        assert ended.returncode == 1
        assert "its manifest cannot be read" in ended.stdout + ended.stderr
    left = {one["id"]: one["reason"] for one in stack.get("/apps/shop/backups")["backups"]}
    assert left.keys() >= set(good)
    assert broken not in left
    # And the first one of the day, or of two days if one ended meanwhile. Those of deployments are counted apart.
    assert len([one for one in left.values() if is_by_hand(one)]) <= len(good) + 2


def test_cancelling_during_the_backup_ends_it_and_leaves_no_sidecar(shop: Shop) -> None:
    stack = shop.stack
    version = shop.deployed()
    shop.repository.change("Never live")
    asked = stack.post("/apps/shop/deployments")["id"]
    stack.until_step(asked, "backup")

    cancelled = stack.command("cancel", asked)
    ended = stack.wait_ended(asked)

    assert cancelled.returncode == 0, cancelled.stderr
    assert ended["state"] == "cancelled"
    stack.until(lambda: len(stack.containers()) <= 2, "no sidecar is left")
    assert not list((stack.state / "backups" / "shop").glob("*.new"))
    assert stack.ask().json()["release"] == version


def test_backups_an_update_and_a_restore_at_the_same_time_take_turns(shop: Shop) -> None:
    stack = shop.stack
    shop.deployed()
    wanted = stack.post("/apps/shop/backups")["id"]
    shop.repository.change("Beside backups")

    with Visitor(stack) as visitor, ThreadPoolExecutor() as pool:
        backups = [pool.submit(stack.post, "/apps/shop/backups") for _ in range(2)]
        restored = pool.submit(stack.command, "backup", "restore", "shop", wanted, "--yes")
        backups += [pool.submit(stack.post, "/apps/shop/backups") for _ in range(2)]
        updated = pool.submit(stack.deploy)
        made = [backup.result()["id"] for backup in backups]

    assert restored.result().returncode in (0, 3), restored.result()
    assert updated.result()["state"] == "live", updated.result()["failure"]
    assert visitor.failures == []
    listed = [one["id"] for one in stack.get("/apps/shop/backups")["backups"]]
    assert set(listed) & set(made)
    for backup in listed:
        assert stack.command("backup", "verify", "shop", backup).returncode == 0


@pytest.mark.parametrize("point", one_of_each_kind(POINTS, KINDS))
def test_a_kill_of_the_orchestrator_during_a_restore_leaves_the_data_as_it_was(shop: Shop, point: str) -> None:
    stack = shop.stack
    version = shop.deployed()
    assert stack.post_order(f"before {point}").is_success
    backup = stack.post("/apps/shop/backups")["id"]
    assert stack.post_order(f"after {point}").is_success
    ordered = stack.ask("/orders").json()["orders"]
    stack.restart_orchestrator(kill_at=point)

    with Visitor(stack) as visitor:
        with pytest.raises(httpx.TransportError):
            stack.post(f"/apps/shop/backups/{backup}/restore")
        stack.wait_killed()
        stack.restart_orchestrator()
        stack.wait_idle()
        time.sleep(0.3)

    assert visitor.failures == []
    assert stack.app()["active"]["version"] == version
    assert stack.app()["health"] == "healthy"
    assert stack.ask("/orders").json()["orders"] == ordered + len(visitor.orders)
    stack.until(lambda: len(stack.containers()) <= 2, "no sidecar is left")
    if point == "data:unrecorded":
        assert "the orchestrator was stopped before it could record that" in str(stack.get("/apps/shop/migrations"))
    assert stack.post(f"/apps/shop/backups/{backup}/restore")["state"] == "live"
    assert stack.ask("/orders").json()["orders"] == ordered - 1


def test_a_release_whose_image_was_removed_comes_back_with_its_data(shop: Shop) -> None:
    stack = shop.stack
    first = shop.deployed()
    made = stack.command("backup", "create", "shop", "--json")
    backup = json.loads(made.stdout)["id"]
    gone = stack.app()["active"]["image"]
    for number in range(2):
        shop.repository.change(f"Another one, {number}")
        assert stack.deploy()["state"] == "live"
    stack.until(lambda: stack.app()["deployment"] is None, "the old release is retired")
    for container in stack.containers():
        if container.attrs["Image"] == gone:
            container.remove(force=True)
    stack.engine.images.remove(gone, force=True)

    restored = stack.command("backup", "restore", "shop", backup, "--release", "--yes")

    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert stack.ask().json()["release"] == first
