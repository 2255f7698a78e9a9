"""The same results with the journal in SQLite and in PostgreSQL; and apps, the panel among them, on a server."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.paths import ROOT
from tests.support.postgres import Postgres, gateway
from tests.support.repository import Repository
from tests.support.shop import Shop, open_shop
from tests.support.stack import MIGRATE_BOTH_WAYS, Stack
from tests.support.user import NO_TLS
from tests.support.visitor import Visitor


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, proxy_image: None, postgres: Postgres) -> Iterator[Shop]:
    url = postgres.url(postgres.create()) if request.param == "postgresql" else ""
    with open_shop(tmp_path, migrate=MIGRATE_BOTH_WAYS, environment={"CHANGEOVER_DATABASE_URL": url}) as shop:
        yield shop


def test_a_history_with_failures_and_kills_is_the_same_on_both(shop: Shop) -> None:
    stack, repository = shop.stack, shop.repository
    backend = next(one["says"] for one in stack.get("/doctor")["findings"] if one["what"] == "journal")
    first = shop.deployed()
    with Visitor(stack) as visitor:
        repository.change("Second")
        second = stack.deploy()
        back = stack.rollback()
        stack.wait_idle()
        repository.write("Dockerfile", "FROM debian:trixie-slim\nRUN false\n")
        bad = repository.commit("feat: does not build")
        failed = stack.deploy()
        repository.git("revert", "--no-edit", bad)
        ends = []
        for point in ("migrate:begun", "switch:files", "retire:begun"):
            repository.change(f"Killed at {point}")
            stack.restart_orchestrator(kill_at=point)
            asked = stack.post("/apps/shop/deployments")["id"]
            stack.wait_killed()
            stack.restart_orchestrator()
            ends.append(stack.wait_ended(asked)["state"])

    assert ("PostgreSQL" in backend) is bool(stack.environment["CHANGEOVER_DATABASE_URL"])
    assert visitor.failures == []
    assert (second["state"], back["state"], back["version"]) == ("live", "live", first)
    assert (failed["state"], failed["failure"]["step"]) == ("failed", "build")
    assert ends == ["failed", "live", "live"]
    history = [one["state"] for one in stack.get("/apps/shop/deployments")["deployments"]]
    assert history == ["live", "live", "failed", "failed", "live", "rolled_back", "live"]
    assert len(stack.containers()) == 2
    assert stack.app()["health"] == "healthy"


def test_a_journal_whose_server_goes_away_refuses_and_goes_on_when_it_is_back(
    tmp_path: Path, proxy_image: None, postgres: Postgres
) -> None:
    environment = {"CHANGEOVER_DATABASE_URL": postgres.url(postgres.create())}
    with open_shop(tmp_path, environment=environment) as shop:
        stack = shop.stack
        version = shop.deployed()
        with Visitor(stack) as visitor:
            postgres.stop(signal.SIGQUIT)
            try:
                refused = stack.command("deploy", "shop")
            finally:
                postgres.start()
            shop.repository.change("Back again")
            again = stack.deploy()

    assert refused.returncode in (3, 4)
    assert "journal" in refused.stderr
    assert visitor.failures == []
    assert visitor.releases == {version, again["version"]}
    assert again["state"] == "live"


def test_the_panel_runs_and_updates_on_postgresql(tmp_path: Path, proxy_image: None, postgres: Postgres) -> None:
    config = f"update: {{git: {{remote: {json.dumps(str(ROOT))}}}}}\ndisk: {{min_free_mb: 100}}\n"
    with Stack(tmp_path, config) as stack:
        host = gateway(stack.name)
        stack.environment |= {
            "CHANGEOVER_PANEL_DATABASE_URL": postgres.url(postgres.create(), host),
            "CHANGEOVER_API_HOST": "0.0.0.0",
            "CHANGEOVER_API_URL": f"http://{host}:{stack.api_port}",
        }
        stack.restart_orchestrator()

        first, second = stack.deploy("panel"), stack.deploy("panel")
        status = stack.get("/apps/panel/migrations")
        page = httpx.get(stack.url("/"), follow_redirects=True)

    assert first["state"] == "live", first["failure"]
    assert second["state"] == "live", second["failure"]
    assert status["pending"] == []
    assert [one["revision"] for one in status["applied"]] == ["0001", "0002"]
    assert page.status_code == 200


def test_an_apps_database_server_is_backed_up_by_its_dump_command_and_put_back(
    tmp_path: Path, proxy_image: None, postgres: Postgres
) -> None:
    """Notes are written in pairs, each in one transaction: no backup has half of one."""
    repository = Repository(tmp_path / "repository", ROOT / "tests" / "support" / "notes")
    with Stack(tmp_path, "apps: {}\n") as stack:
        url = postgres.url(postgres.create(), gateway(stack.name))
        stack.set_config(
            f"""
disk: {{min_free_mb: 100}}
apps:
  notes:
    update: {{git: {{remote: {json.dumps(str(repository.path))}, branch: main}}}}
    run: {{port: 8000, env: {{NOTES_URL: "{url}"}}}}
    route: {{host: notes.test}}
    health: {{path: /}}
    migrate: {{command: python3 notes.py migrate}}
    backup: {{dump: ./dump, restore: ./restore}}
    drain: {{timeout: 1, stop_timeout: 1}}
"""
        )
        live = stack.deploy("notes")
        assert live["state"] == "live", live["failure"]
        writer = Writer(stack)
        with writer:
            time.sleep(0.5)
            backup = stack.command("backup", "create", "notes", "--json")
            assert backup.returncode == 0, backup.stderr
            time.sleep(0.5)
        written = count(stack)
        restored = stack.command("backup", "restore", "notes", json.loads(backup.stdout)["id"], "--yes", "--json")
        assert restored.returncode == 0, restored.stdout + restored.stderr
        then = count(stack)
        back = stack.command("backup", "restore", "notes", json.loads(restored.stdout)["backup"], "--yes")
        again = count(stack)
        volumes = [
            volume.name
            for volume in stack.engine.volumes.list()
            if f"{stack.name}-" in volume.name and "-dump-" in volume.name
        ]

    assert writer.failures == []
    assert written == 2 * writer.written
    assert 0 < then < written
    assert then % 2 == 0
    assert back.returncode == 0, back.stderr
    assert again == written
    assert volumes == []


def test_a_dump_command_that_fails_stops_the_update_before_anything_is_touched(
    tmp_path: Path, proxy_image: None
) -> None:
    with open_shop(tmp_path) as shop:
        stack = shop.stack
        version = shop.deployed()
        text = stack.config.read_text()
        stack.set_config(text.replace("    drain:", "    backup: {dump: ./no-such-dump, restore: 'true'}\n    drain:"))
        shop.repository.change("Never live")

        ended = stack.command("deploy", "shop", "--wait")

        assert ended.returncode == 1
        assert "no-such-dump" in ended.stdout
        assert stack.ask().json()["release"] == version


class Writer:
    """Writes notes all the while."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._stop = stack, threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self.written = 0
        self.failures: list[str] = []

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=60)

    def _write(self) -> None:
        while not self._stop.is_set():
            answer = httpx.post(self._stack.url("/"), headers={"Host": "notes.test"}, timeout=60, verify=NO_TLS)
            if answer.is_success:
                self.written += 1
            else:
                self.failures.append(answer.text)


def count(stack: Stack) -> int:
    return int(httpx.get(stack.url("/"), headers={"Host": "notes.test"}, timeout=60, verify=NO_TLS).text)
