"""A schema change that the release before cannot run on: requests wait for it, none fails, and there is a way back."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.migrations import COMMITS_EACH, NEW_INSERT, OLD_INSERT, RENAMES
from tests.support.points import one_of_each_kind
from tests.support.postgres import Postgres
from tests.support.shop import Shop, another_shop
from tests.support.stack import MIGRATE_BOTH_WAYS, MIGRATE_UP_ONLY, NO_APPS, Stack
from tests.support.visitor import Visitor

POINTS = (
    "backup:unrecorded", "migrate:begun", "migrate:unrecorded", "start:begun", "verify:unrecorded", "switch:begun",
    "switch:files", "switch:unrecorded",
)  # fmt: skip
KINDS = ("migrate:unrecorded", "verify:unrecorded", "switch:files")
WHATEVER_THE_DATABASE = ("verify:unrecorded", "switch:files")
KEEP_BACKUPS = 2
LONG_DRAIN_S = 60


@pytest.fixture(scope="module")
def stack_of_all(database: str, tmp_path_factory: pytest.TempPathFactory, proxy_image: None) -> Iterator[Stack]:
    """One for all tests on a database, each of which has a shop of its own on it."""
    with Stack(tmp_path_factory.mktemp("stack"), NO_APPS) as running:
        yield running


@pytest.fixture
def shop(database: str, stack_of_all: Stack, tmp_path: Path, postgres: Postgres) -> Iterator[Shop]:
    """A shop whose first release is live, and that can go both ways."""
    server = postgres if database == "postgresql" else None
    with another_shop(stack_of_all, tmp_path, server, migrate=MIGRATE_BOTH_WAYS) as shop:
        shop.deployed()
        yield shop


def rename_column(shop: Shop, *, text: str = RENAMES, breaks: bool = False) -> None:
    """Commit the release that needs the new schema."""
    shop.repository.write("migrations/versions/0002_sold_by.py", text)
    shop.repository.replace("shop.py", OLD_INSERT, NEW_INSERT)
    if breaks:
        shop.repository.replace("shop.py", 'return {"ready": RELEASE}', 'raise HTTPException(503, "never ready")')
    shop.repository.commit("feat!: who sold it")


def lose_journal(stack: Stack) -> None:
    stack.kill_orchestrator()
    for file in stack.state.glob("journal.db*"):
        file.unlink()
    stack.start_orchestrator()


def without_way_down(shop: Shop) -> None:
    shop.stack.set_config(shop.config.replace(MIGRATE_BOTH_WAYS, MIGRATE_UP_ONLY))


def assert_whole(shop: Shop, *visitors: Visitor) -> None:
    """Every order that somebody was told of is there."""
    assert [failure for visitor in visitors for failure in visitor.failures] == []
    ordered = {order for visitor in visitors for order in visitor.orders}
    assert ordered
    assert ordered <= shop.contents().orders


def test_there_and_back_and_there_again_under_load_no_request_fails_and_the_wait_is_shown(shop: Shop) -> None:
    stack = shop.stack
    old = stack.app()["active"]["version"]
    rename_column(shop)
    stack.set_config(stack.config.read_text().replace("drain: {timeout: 1,", f"drain: {{timeout: {LONG_DRAIN_S},"))
    door = socket.create_connection(("127.0.0.1", stack.port))

    with Visitor(stack) as visitor, connect(f"ws://{stack.host}/live", sock=door, proxy=None) as web_socket:
        web_socket.recv()
        costs = " ".join(stack.command("deploy", shop.name, "--dry-run").stdout.split())
        there = stack.deploy()
        with pytest.raises(ConnectionClosed):
            web_socket.recv()
        time.sleep(0.5)
        back = stack.command("rollback", shop.name, "--yes")
        after_back = stack.app()
        stack.wait_idle()
        standby_runs = stack.engine.containers.get(after_back["standby"]["container"]).status
        time.sleep(0.5)
        again = stack.command("rollback", shop.name, "--yes", "--json")
        stack.wait_idle()
        time.sleep(0.5)

    assert there["state"] == "live", there["failure"]
    assert 0 < there["paused"] < LONG_DRAIN_S / 2, "nobody waits for a WebSocket that is open"
    assert there["cut"]["websockets"] == 1
    assert "1 WebSocket" in costs
    assert "If a pending migration is incompatible, requests are paused" in costs
    assert "WebSockets, and answers that began more than 3 s ago, are cut at once" in costs
    assert there["pending"] == [
        {"revision": "0002", "previous": "0001", "compatible": False, "says": "Sold by"},
    ]
    assert back.returncode == 0, back.stderr
    assert "New requests were paused for" in back.stdout
    assert after_back["active"]["version"] == old
    assert standby_runs == "exited", "a release that cannot run on the data must not stand in for the other"
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["version"] == there["version"]
    assert json.loads(again.stdout)["paused"] > 0
    assert visitor.releases == {old, there["version"]}
    assert_whole(shop, visitor)
    assert stack.deploy()["state"] == "live"


@pytest.mark.soak_on("postgresql")
def test_migrate_status_shows_what_is_applied_and_what_a_rollback_would_need(shop: Shop) -> None:
    stack = shop.stack
    old = stack.app()["active"]["version"]
    rename_column(shop)
    stack.deploy()

    said = stack.command("migrate", "status", shop.name)
    asked = json.loads(stack.command("migrate", "status", shop.name, "--json").stdout)

    assert said.returncode == 0, said.stderr
    assert "the previous release cannot run on it" in said.stdout
    assert f"A rollback to {old} reverts 0002 (Sold by), with requests paused" in said.stdout
    assert [one["revision"] for one in asked["applied"]] == ["0001", "0002"]
    assert asked["pending"] == []
    newest = asked["runs"][0]
    assert (newest["from_schema"], newest["to_schema"], newest["outcome"]) == ("0001", "0002", "done")
    assert newest["seconds"] > 0


@pytest.mark.soak_on("sqlite")
def test_a_bad_release_with_such_a_migration_is_taken_back_before_requests_go_on(shop: Shop) -> None:
    stack = shop.stack
    old = stack.app()["active"]["version"]
    stack.set_config(stack.config.read_text().replace("{timeout: 30}", "{timeout: 2}"))
    rename_column(shop, breaks=True)

    with Visitor(stack) as visitor:
        ended = stack.deploy()
        time.sleep(0.5)

    assert ended["state"] == "failed"
    assert "Reverted 0002 (Sold by)" in ended["failure"]["undone"]
    assert ended["paused"] > 0
    assert visitor.releases == {old}
    assert_whole(shop, visitor)


@pytest.mark.soak_on("sqlite")
def test_without_a_way_down_a_bad_release_is_undone_by_the_backup_made_under_pause(shop: Shop) -> None:
    stack = shop.stack
    without_way_down(shop)
    stack.set_config(stack.config.read_text().replace("{timeout: 30}", "{timeout: 2}"))
    rename_column(shop, breaks=True)

    with Visitor(stack) as visitor:
        ended = stack.deploy()
        time.sleep(0.5)

    assert ended["state"] == "failed"
    assert any("Restored backup" in one and "made before 0002" in one for one in ended["failure"]["undone"])
    assert_whole(shop, visitor)
    assert stack.app()["health"] == "healthy"


def test_a_migration_that_committed_a_part_is_found_told_and_settled_by_the_command_that_is_offered(shop: Shop) -> None:
    """The migrate command alone is given, it commits each change by itself, and the old release serves meanwhile."""
    stack = shop.stack
    stack.set_config(shop.config.replace(MIGRATE_BOTH_WAYS, "{command: python migrations/each.py}"))
    shop.repository.write("migrations/each.py", COMMITS_EACH.format(fails=False))
    shop.repository.commit("feat: migrations that are committed one by one")
    assert stack.deploy()["state"] == "live"
    before = shop.contents()
    shop.repository.write("migrations/each.py", COMMITS_EACH.format(fails=True))
    shop.repository.commit("feat!: a migration in three parts")

    failed = stack.command("deploy", shop.name, "--wait")
    app, doctor = stack.app(), stack.command("doctor")
    backup = app["unsettled"]["backup"]
    restored = stack.command("backup", "restore", shop.name, backup, "--yes")

    assert failed.returncode == 1
    assert "The migration committed a part of its changes: the schema of" in failed.stdout
    assert f"changeover backup restore {shop.name} {backup}" in failed.stdout
    assert "serves: it has answered /readyz at its container and through the proxy" in failed.stdout
    assert "differs from backup" in doctor.stdout
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert stack.app()["unsettled"] is None
    assert shop.contents().tables == before.tables


@pytest.mark.soak_on("postgresql")
def test_without_a_way_down_a_rollback_is_refused_and_the_restore_it_offers_works(shop: Shop) -> None:
    stack = shop.stack
    old = stack.app()["active"]["version"]
    without_way_down(shop)
    text = stack.config.read_text()
    stack.set_config(text.replace("branch: main}}", f"branch: main}}, backup: {{keep_backups: {KEEP_BACKUPS}}}}}"))
    rename_column(shop)
    with Visitor(stack) as before:
        new = stack.deploy()
        time.sleep(0.5)
        refused = stack.command("rollback", shop.name, "--yes")
        for _ in range(KEEP_BACKUPS):
            stack.post(f"/apps/{shop.name}/backups")
        offered = stack.command("rollback", shop.name, "--restore", new["backup"], "--yes")
        restored = stack.app()
        time.sleep(0.5)
    stack.wait_idle()

    assert new["state"] == "live", new["failure"]
    assert refused.returncode == 3
    assert "cannot run on schema revision 0002 (Sold by)" in refused.stderr
    assert f"changeover rollback {shop.name} --restore {new['backup']}" in refused.stderr
    assert offered.returncode == 0, offered.stderr
    assert restored["active"]["version"] == old
    assert before.failures == []
    # What was written meanwhile is gone from the shop, as was said, and can be had again with the release it is of.
    kept = next(
        one for one in stack.get(f"/apps/{shop.name}/backups")["backups"] if "before restoring" in one["reason"]
    )
    again = stack.command("rollback", shop.name, "--restore", kept["id"], "--yes")
    assert again.returncode == 0, again.stderr
    assert stack.app()["active"]["version"] == new["version"]
    assert stack.ask("/orders").json()["orders"] > 0


@pytest.mark.soak_on("postgresql")
def test_going_back_with_a_backup_of_the_same_schema_can_be_gone_back_from(shop: Shop) -> None:
    stack = shop.stack
    old = stack.app()["active"]["version"]
    shop.repository.change("Another greeting")
    new = stack.deploy()

    with Visitor(stack) as visitor:
        done = stack.command("rollback", shop.name, "--restore", new["backup"], "--yes")
        stack.wait_idle()
    app = stack.app()

    assert done.returncode == 0, done.stderr
    assert visitor.failures == []
    assert app["active"]["version"] == old
    # The standby was stopped while the data was replaced. It is started for the rollback.
    assert stack.engine.containers.get(app["active"]["container"]).status == "running"
    assert app["standby"]["version"] == new["version"]
    assert stack.command("rollback", shop.name, "--yes").returncode == 0
    assert stack.ask().json()["release"] == new["version"]


@pytest.mark.soak_on("sqlite")
def test_a_way_down_that_fails_leaves_the_new_release_serving(shop: Shop) -> None:
    stack = shop.stack
    rename_column(
        shop, text=RENAMES.replace('op.execute("ALTER TABLE orders RENAME COLUMN sold_by TO release")', "1 / 0")
    )
    live = stack.deploy()

    with Visitor(stack) as visitor:
        refused = stack.command("rollback", shop.name, "--yes")
        time.sleep(0.3)

    assert refused.returncode == 1
    assert "ZeroDivisionError" in refused.stdout
    assert stack.app()["active"]["version"] == live["version"]
    assert_whole(shop, visitor)


@pytest.mark.parametrize("point", one_of_each_kind(POINTS, KINDS, soak_on_postgresql=WHATEVER_THE_DATABASE))
def test_a_kill_of_the_orchestrator_on_the_way_there_or_back_is_finished_or_undone(shop: Shop, point: str) -> None:
    stack = shop.stack
    old = stack.app()["active"]["version"]
    rename_column(shop)

    with Visitor(stack) as visitor:
        stack.restart_orchestrator(kill_at=point)
        asked = stack.post(f"/apps/{shop.name}/deployments")["id"]
        stack.wait_killed()
        stack.restart_orchestrator()
        there = stack.wait_ended(asked)
        time.sleep(0.3)
        if there["state"] == "failed":
            assert stack.app()["active"]["version"] == old
            assert stack.deploy()["state"] == "live"
        new = stack.app()["active"]["version"]
        stack.restart_orchestrator(kill_at=point)
        with pytest.raises(Exception, match=r"disconnected|refused|reset|EOF"):
            stack.rollback()
        stack.wait_killed()
        stack.restart_orchestrator()
        stack.wait_idle()
        time.sleep(0.3)

    active = stack.app()["active"]["version"]
    assert active == (old if point.startswith("switch") else new)
    assert stack.ask().json()["release"] == active
    assert_whole(shop, visitor)
    expected = ["0001"] if active == old else ["0001", "0002"]
    assert [one["revision"] for one in stack.get(f"/apps/{shop.name}/migrations")["applied"]] == expected


@pytest.mark.soak_on("postgresql")
def test_a_journal_that_was_lost_is_rebuilt_with_what_the_data_has_been_through(shop: Shop) -> None:
    stack = shop.stack
    old = stack.app()["active"]["version"]
    rename_column(shop)

    with Visitor(stack) as visitor:
        new = stack.deploy()
        lose_journal(stack)
        there = stack.get(f"/apps/{shop.name}/migrations")
        back = stack.rollback()
        stack.wait_idle()
        time.sleep(0.3)
        lose_journal(stack)
        after = stack.get(f"/apps/{shop.name}/migrations")
        again = stack.rollback()
        stack.wait_idle()
        time.sleep(0.3)

    assert [one["revision"] for one in there["applied"]] == ["0001", "0002"]
    assert (there["rollback"]["to"], there["rollback"]["way"]) == (old, "migrate")
    assert (back["state"], back["version"], back["paused"] > 0) == ("live", old, True)
    assert [one["revision"] for one in after["applied"]] == ["0001"]
    assert (again["state"], again["version"], again["paused"] > 0) == ("live", new["version"], True)
    assert_whole(shop, visitor)


@pytest.mark.soak_on("postgresql")
def test_migrations_that_must_be_asked_for_stop_the_update_and_run_when_asked_for(shop: Shop) -> None:
    stack = shop.stack
    text = stack.config.read_text().replace("branch: main}}", "branch: main}, migrations: {auto_run: false}}")
    stack.set_config(text)
    rename_column(shop)

    refused = stack.command("deploy", shop.name, "--wait")
    done = stack.command("deploy", shop.name, "--wait", "--migrate")

    assert refused.returncode == 1
    assert "has pending migrations: 0002 (Sold by)" in refused.stdout
    assert f"changeover deploy {shop.name} --migrate" in refused.stdout
    assert done.returncode == 0, done.stdout
