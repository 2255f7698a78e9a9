"""An installation of the version before becomes one of this version by `make up`, and nothing of it is lost.

The version before is the commit in upgrade_from.txt, which the tag at the end of the issue before names. It is replaced
at the end of each issue; so is what is said here of that version alone.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.in_container import printed_in
from tests.support.installation import Installation
from tests.support.migrations import NEW_INSERT, OLD_INSERT, RENAMES
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.shop import READ_SQLITE
from tests.support.stack import MIGRATE_BOTH_WAYS
from tests.support.visitor import Visitor

pytestmark = pytest.mark.whole_in_turn

UPGRADE_FROM = (Path(__file__).parent / "upgrade_from.txt").read_text().strip()
APPS = ("panel", "shop")
SHOP = f"""
apps:
  shop:
    update:
      git: {{remote: /source/shop, branch: main}}
      background_check: {{enabled: false}}
    run: {{port: 8000, data: /data}}
    route: {{host: shop.test}}
    migrate: {MIGRATE_BOTH_WAYS}
    drain: {{timeout: 1, stop_timeout: 1}}
"""
# The version before gives its images names that it shares with every other stack on the engine.
IMAGES_OF_THIS_STACK = """
services:
  orchestrator: {{image: {stack}/orchestrator, environment: {{CHANGEOVER_TOOLS_IMAGE: {stack}/orchestrator}}}}
  proxy: {{image: {stack}/proxy}}
"""
LONGEST_GAP_S = 60
"""A deadline for a busy machine; the test prints how long it was."""


@dataclass(frozen=True)
class Shop:
    """The shop of an installation, for visitors."""

    installation: Installation
    host: str = "shop.test"

    def url(self, path: str = "/") -> str:
        return self.installation.url + path


@dataclass(frozen=True)
class State:
    """What an upgrade must not change."""

    apps: dict[str, Any]
    containers: dict[str, Any]
    histories: dict[str, Any]
    backups: list[str]


@dataclass(frozen=True)
class Upgraded:
    """An installation of the version before that was upgraded while a visitor ordered."""

    installation: Installation
    before: State
    after: State
    visitor: Visitor
    ci_token: str
    said: str
    orders: frozenset[str]
    configuration: str
    """What the user had written before."""


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    known = subprocess.run(["git", "-C", str(ROOT), "cat-file", "-e", f"{UPGRADE_FROM}^{{commit}}"])
    if known.returncode != 0:
        pytest.fail(f"The version to upgrade from, commit {UPGRADE_FROM}, is not in this clone: git fetch --unshallow")
    folder = tmp_path_factory.mktemp("upgrade")
    installation = Installation(folder / "changeover")
    try:
        under_test = installation.git("rev-parse", "HEAD")
        install_version_before(installation)
        ci_token = use_it(installation)
        before, configuration = state(installation), configuration_of(installation).read_text()
        with open_websocket(installation) as live, Visitor(Shop(installation)) as visitor:
            assert live.recv(timeout=30) == before.apps["shop"]["active"]["version"]
            time.sleep(1)
            installation.git("merge", "--quiet", "-X", "ours", "-m", "chore: the tree under test", under_test)
            del installation.environment["COMPOSE_FILE"]
            up = installation.up()
            assert up.returncode == 0, up.stdout + up.stderr
            time.sleep(1)
        orders = contents(installation)["orders"]
        yield Upgraded(
            installation, before, state(installation), visitor, ci_token, up.stdout, frozenset(orders), configuration
        )
    finally:
        installation.remove()


def install_version_before(installation: Installation) -> None:
    installation.lend_packages()
    installation.git("checkout", "--quiet", "-B", "installed", UPGRADE_FROM)
    images = installation.folder.parent / "images.yaml"
    images.write_text(IMAGES_OF_THIS_STACK.format(stack=installation.name))
    installation.environment["COMPOSE_FILE"] = f"compose.yaml:{images}"
    configuration = configuration_of(installation)
    configuration.write_text(configuration.read_text() + SHOP)
    installation.git("commit", "--quiet", "--all", "-m", "chore: the shop")
    up = installation.up()
    assert up.returncode == 0, up.stdout + up.stderr


def configuration_of(installation: Installation) -> Path:
    return installation.folder / "control-panel-config.yaml"


def use_it(installation: Installation) -> str:
    """Two releases of the shop, the second on a schema that the first cannot run on; a backup; and a token."""
    repository = Repository(installation.folder / "shop", installation.folder / "examples" / "shop")
    done(installation, "deploy", "shop", "--wait")
    order(installation, "of-the-first-release")
    repository.write("migrations/versions/0002_sold_by.py", RENAMES)
    repository.replace("shop.py", OLD_INSERT, NEW_INSERT)
    repository.commit("feat!: who sold it")
    done(installation, "deploy", "shop", "--wait")
    order(installation, "before-the-backup")
    done(installation, "backup", "create", "shop")
    order(installation, "after-the-backup")
    # The retirement of the old colour ends after the deployment is live.
    installation.until(lambda: installation.app("shop")["deployment"] is None, "the deployment ends")
    return done(installation, "token", "create", "ci", "--scope", "read").strip()


def done(installation: Installation, *arguments: str) -> str:
    ended = installation.command(*arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def order(installation: Installation, name: str) -> None:
    shop = Shop(installation)
    assert httpx.post(shop.url(f"/orders/{name}"), headers={"Host": shop.host}).is_success


@contextmanager
def open_websocket(installation: Installation) -> Iterator[ClientConnection]:
    """As a browser that shows the panel has one open."""
    address = socket.create_connection(("127.0.0.1", installation.port))
    with connect(f"ws://{Shop(installation).host}/live", sock=address, proxy=None) as live:
        yield live


def state(installation: Installation) -> State:
    engine = docker.from_env()
    try:
        containers = engine.containers.list(
            all=True, filters={"label": f"changeover.stack={installation.name}"}, ignore_removed=True
        )
    finally:
        engine.close()
    return State(
        apps={
            app["name"]: {slot: release(app[slot]) for slot in ("active", "standby")} | {"health": app["health"]}
            for app in installation.json("status")["apps"]
        },
        containers={one.name or "": (one.id, one.status, one.attrs["State"]["StartedAt"]) for one in containers},
        histories={app: [recorded(one) for one in history(installation, app)] for app in ("panel", "shop")},
        backups=[one["id"] for one in installation.json("backup", "list", "shop")["backups"]],
    )


def release(told: Any) -> dict[str, Any] | None:
    """What both versions say of a release: newer ones say more."""
    same = ("colour", "version", "revision", "image", "container", "since")
    return told and {name: told[name] for name in same}


def history(installation: Installation, app: str) -> list[Any]:
    found: list[Any] = installation.json("history", app)["deployments"]
    return found


def recorded(deployment: Any) -> dict[str, Any]:
    """What both versions say of a deployment. How long its requests waited was `held` before."""
    same = ("id", "kind", "state", "version", "requested_by", "requested_at", "live_at", "ended_at", "steps")
    return {name: deployment[name] for name in same} | {"paused": deployment.get("paused", deployment.get("held"))}


def contents(installation: Installation) -> Any:
    """The shop's tables, orders and schema revision."""
    return json.loads(printed_in(installation.app("shop")["active"]["container"], "python", "-c", READ_SQLITE))


def test_every_app_is_live_as_before_with_its_containers_its_standby_its_history_and_its_backups(
    upgraded: Upgraded,
) -> None:
    assert upgraded.after == upgraded.before
    assert upgraded.after.apps["shop"]["standby"] is not None
    assert upgraded.after.histories["shop"][0]["paused"] is not None
    assert len(upgraded.after.backups) == 2
    assert f"Panel     {upgraded.installation.url}" in upgraded.said


def test_the_configuration_that_the_version_before_tracked_is_still_there_and_not_tracked_any_more(
    upgraded: Upgraded,
) -> None:
    installation = upgraded.installation

    # Git takes the example for the same file under a new name, and merges what the user wrote into it.
    assert configuration_of(installation).read_text() == upgraded.configuration
    assert "remote: /source/shop" in upgraded.configuration
    assert "control-panel-config.yaml" not in installation.git("ls-files").splitlines()
    assert "control-panel-config.yaml" not in installation.git("status", "--short")
    assert (installation.folder / "secrets").stat().st_mode & 0o777 == 0o700


def test_requests_fail_only_while_the_proxy_is_replaced_and_no_order_that_was_acknowledged_is_lost(
    upgraded: Upgraded,
) -> None:
    visitor = upgraded.visitor
    print(f"the gap: {visitor.gaps} s, {len(visitor.failures)} failures, {visitor.answers} answers")

    assert len(visitor.gaps) <= 1, visitor.failures
    assert sum(visitor.gaps) < LONGEST_GAP_S
    assert visitor.releases == {upgraded.before.apps["shop"]["active"]["version"]}
    assert {*visitor.orders, "of-the-first-release", "before-the-backup", "after-the-backup"} <= upgraded.orders


def test_the_journal_has_the_newest_schema_and_its_tokens_and_events_are_understood(upgraded: Upgraded) -> None:
    installation = upgraded.installation
    url = f"http://127.0.0.1:{installation.api_port}/v1"
    old_deployment = upgraded.before.histories["shop"][0]["id"]

    schema = compose(
        installation, "exec", "-T", "-e", "CHANGEOVER_DATABASE_URL=sqlite:////var/lib/changeover/journal.db",
        "orchestrator", "python", "-m", "migrations", "orchestrator", "status",
    )  # fmt: skip
    events = httpx.get(
        f"{url}/deployments/{old_deployment}/events", headers={"Authorization": f"Bearer {upgraded.ci_token}"}
    )
    refused = httpx.post(f"{url}/apps/shop/deployments", headers={"Authorization": f"Bearer {upgraded.ci_token}"})

    newest = max(path.name[:4] for path in (ROOT / "migrations/orchestrator/versions").glob("0*.py"))
    assert f"schema {newest}, newest {newest}" in schema
    assert {"live", "step"} <= {event["kind"] for event in events.json()["events"]}
    assert refused.status_code == 403


def test_nothing_of_the_version_before_is_left(upgraded: Upgraded) -> None:
    installation = upgraded.installation

    files = set(compose(installation, "exec", "-T", "orchestrator", "ls", "/run/changeover").split())
    services = compose(installation, "ps", "--all", "--services").split()
    findings = installation.command("doctor")
    images = subprocess.run(
        ["docker", "images", "--quiet", "--filter", f"label=com.docker.compose.project={installation.name}"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip

    assert {name for name in files if name.startswith(("active", "hold"))} == set()
    assert sorted(services) == ["engine", "orchestrator", "proxy"]
    assert len(images) == 2
    assert findings.returncode == 0, findings.stdout


def compose(installation: Installation, *arguments: str) -> str:
    return subprocess.run(
        ["docker", "compose", *arguments],
        cwd=installation.folder, env=installation.environment, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def test_an_old_backup_is_whole_and_restored_and_the_standby_can_be_rolled_back_to(upgraded: Upgraded) -> None:
    installation, active = upgraded.installation, upgraded.before.apps["shop"]["active"]
    newest, *_ = upgraded.before.backups

    done(installation, "backup", "verify", "shop", newest)
    done(installation, "backup", "restore", "shop", newest, "--yes")
    restored = contents(installation)
    done(installation, "rollback", "shop", "--yes")
    rolled_back = contents(installation)

    assert set(restored["orders"]) == {"of-the-first-release", "before-the-backup"}
    assert (restored["revision"], rolled_back["revision"]) == ("0002", "0001")
    assert rolled_back["orders"] == restored["orders"]
    shop = installation.app("shop")
    assert shop["standby"]["container"] == active["container"]
    assert shop["active"]["container"] == upgraded.before.apps["shop"]["standby"]["container"]


def test_the_panel_of_the_version_before_is_usable_and_updates_itself(upgraded: Upgraded) -> None:
    installation = upgraded.installation

    old_panel = upgraded.before.apps["panel"]["active"]

    def sign_in() -> int:
        return httpx.post(f"{installation.url}/sign-in", data={"token": installation.token}).status_code

    read = subprocess.run(
        ["docker", "exec", "-e", f"CHANGEOVER_TOKEN={installation.token}", old_panel["container"],
         "python", "-m", "panel.cli", "history", "shop", "--json"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert read.returncode == 0, read.stderr
    assert len(json.loads(read.stdout)["deployments"]) >= len(upgraded.before.histories["shop"])
    assert sign_in() == 303
    done(installation, "deploy", "panel", "--wait")
    assert sign_in() == 303
    assert installation.app("panel")["standby"]["version"] == old_panel["version"]
