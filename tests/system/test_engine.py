"""What concerns a whole machine, on one of its own: its engine is killed, its disk kept clean, backups lie on it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.migrations import TAKES_TIME
from tests.support.orders import ORDERS_PER_S, Ordering
from tests.support.visitor import Visitor
from tests.support.whole_machine import Machine

pytestmark = [pytest.mark.xdist_group("machine"), pytest.mark.whole_in_turn]

MUCH = 60_000_000
"""Bytes, so that putting them back takes a while."""
MOST_MISSED = 3
"""So many restores may end before they are seen: they take seconds, and a busy engine as long to say what runs."""


@pytest.fixture(autouse=True)
def no_app_is_left(machine: Machine) -> Iterator[None]:
    """However a test ends: the next one finds an engine that runs, and no app, whose containers might take its room."""
    yield
    machine.wait_engine()
    for app in list(machine.apps):
        machine.remove_app(app)


def test_a_kill_of_the_engine_during_a_migration_changes_nothing_and_fails_no_request(
    machine: Machine, tmp_path: Path
) -> None:
    repository = machine.add_shop("shop")
    first = machine.deploy("shop")
    assert first["state"] == "live", first["failure"]
    before = machine.tables("shop")
    repository.write("migrations/versions/0002_receipts.py", TAKES_TIME)
    repository.commit("feat: receipts")

    with Visitor(machine, "shop.test") as visitor, Ordering(machine, tmp_path, ORDERS_PER_S) as ordering:
        time.sleep(1)
        now = time.monotonic()
        asked = machine.post("/apps/shop/deployments")["id"]
        machine.until_said(asked, "half of it is done")
        machine.kill_engine()
        ended = machine.wait_ended(asked)
        time.sleep(0.5)

    assert ended["state"] == "failed", ended
    print(f"{ordering.result.count} orders, {ordering.result.rate:.0f} a second")
    assert visitor.failures == []
    assert ordering.result.failures == []
    assert ordering.result.count_since(now) > 0, "nobody ordered during the update"
    assert machine.tables("shop") == before
    assert {*visitor.orders, *ordering.result.ids()} <= machine.orders("shop")
    assert machine.sidecars("shop") == []
    repository.git("revert", "--no-edit", "HEAD")
    assert machine.deploy("shop")["state"] == "live"


def test_a_kill_of_the_engine_during_a_restore_leaves_the_data_as_it_was(machine: Machine) -> None:
    """The sidecar lives on without the engine, and must not go on beside the one that puts the data back."""
    app = "large"
    data = f"/var/lib/docker/volumes/changeover-{app}-data/_data"
    machine.add_shop(app)
    assert machine.deploy(app)["state"] == "live"
    machine.run("sh", "-c", f"head -c {MUCH} /dev/urandom >{data}/pictures && cp {data}/pictures {data}/copies")
    before = machine.run("sh", "-c", f"cd {data} && sha256sum pictures copies")
    backup = machine.post(f"/apps/{app}/backups")["id"]

    def is_seen_or_done() -> str:
        if any("-restore-" in one for one in machine.sidecars(app)):
            return "seen"
        return "done" if restored.done() else ""

    with ThreadPoolExecutor() as pool:
        for _ in range(MOST_MISSED):
            machine.run("sh", "-c", f"echo changed >{data}/copies")
            with Visitor(machine, f"{app}.test") as visitor:
                time.sleep(0.5)
            restored = pool.submit(machine.request, "POST", f"/apps/{app}/backups/{backup}/restore")
            if machine.until(is_seen_or_done, "the restore has begun") == "seen":
                break
        machine.kill_engine()
    answer = restored.result()
    machine.wait_engine()
    machine.wait_idle(app)

    assert machine.run("ls", "-A", data).split() == ["copies", "pictures", "shop.db", "shop.db-shm", "shop.db-wal"]
    if answer.is_success:
        assert machine.run("sh", "-c", f"cd {data} && sha256sum pictures copies") == before
    else:
        assert machine.run("cat", f"{data}/copies") == "changed\n"
        assert set(visitor.orders) <= machine.orders(app)
    assert machine.sidecars(app) == []
    assert machine.answers(app)
    assert machine.post(f"/apps/{app}/backups/{backup}/restore")["state"] == "live"
    assert machine.run("sh", "-c", f"cd {data} && sha256sum pictures copies") == before


def test_images_and_build_cache_beyond_the_configured_are_removed_and_what_a_rollback_needs_stays(
    machine: Machine,
) -> None:
    repository = machine.add_shop("tidy", disk="keep_images: 2, build_cache_mb: 1")
    for number in range(5):
        repository.change(f"Number {number}")
        ended = machine.deploy("tidy")
        assert ended["state"] == "live", ended["failure"]
    back = machine.rollback("tidy")
    machine.wait_idle("tidy")
    app = machine.app("tidy")

    images = machine.run("docker", "images", "--no-trunc", "--format", "{{.ID}}", "changeover/tidy").split()
    usage = machine.run("docker", "system", "df", "--format", "{{.Type}} {{.Size}}").splitlines()
    cache = next(one.split()[-1] for one in usage if one.startswith("Build"))
    doctor = {one["what"]: one["says"] for one in machine.get("/doctor")["findings"]}

    assert back["state"] == "live"
    backed_up = {one["image"] for one in machine.get("/apps/tidy/backups")["backups"]}
    assert set(images) == {app["active"]["image"], app["standby"]["image"]} | backed_up
    assert cache.endswith("kB") or cache == "0B" or float(cache.removesuffix("MB")) <= 1.1
    # The three newest that keep_backups names, and the first one of the day, which may be over meanwhile.
    shared = r"( beside layers shared with other images \(the largest has [\d.]+ MB\))?"
    room = rf"{len(set(images))} images [\d.]+ MB{shared}, containers [\d.]+ MB, data [\d.]+ MB, [45] backups [\d.]+ MB"
    assert re.search(room, doctor["app tidy"]), doctor
    assert "live-restore" not in doctor["Docker Engine"]


def test_backups_lie_in_the_folder_of_the_host_that_was_named(machine: Machine) -> None:
    machine.add_shop("elsewhere", backup="keep_backups: 3, backup_location: ~/backups")
    assert machine.deploy("elsewhere")["state"] == "live"

    backup = machine.post("/apps/elsewhere/backups")

    assert machine.run("ls", "/root/backups/elsewhere").split() == [backup["id"]]
    assert [one["id"] for one in machine.get("/apps/elsewhere/backups")["backups"]] == [backup["id"]]
    assert machine.post(f"/apps/elsewhere/backups/{backup['id']}/restore")["state"] == "live"
    listed = machine.run("tar", "-tzf", f"/root/backups/elsewhere/{backup['id']}/data.tar.gz").split()
    assert "data/shop.db" in listed
    assert "config/control-panel-config.yaml" in listed
    assert any(name.startswith("logs/changeover-elsewhere-") for name in listed)


@pytest.mark.parametrize(
    ("options", "says"), [("ro", "read-only file system"), ("size=1m", "Not enough disk space for the backup")]
)
def test_a_place_for_backups_that_takes_none_stops_the_update_before_anything_is_touched(
    machine: Machine, options: str, says: str
) -> None:
    app = "careful-" + options[:2]
    machine.run("sh", "-c", f"mkdir -p /srv/place && mount -t tmpfs -o {options} tmpfs /srv/place")
    try:
        repository = machine.add_shop(app, backup="backup_location: /srv/place")
        version = machine.deploy(app)["version"]
        before = machine.tables(app)
        repository.change("Never live")

        ended = machine.deploy(app)

        assert ended["state"] == "failed"
        assert ended["failure"]["step"] == "backup"
        assert says.lower() in ended["failure"]["cause"].lower()
        assert "/srv/place" in ended["failure"]["tip"]
        assert machine.answers(app)["release"] == version
        assert machine.tables(app) == before
    finally:
        machine.remove_app(app)
        machine.run("umount", "/srv/place")
