"""Whatever carries the stack's label is counted, whoever made it; what an app has left is removed by one command."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime

import httpx
import pytest

from orchestrator.access import tokens
from orchestrator.backup_sidecar.manifest import Summary
from orchestrator.deploy import leftovers
from orchestrator.doctor.labelled import labelled
from orchestrator.doctor.removed_apps import removed_apps
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.engine.base import LABEL_APP, LABEL_DEPLOYMENT, LABEL_ROLE, ContainerSpec, Role
from orchestrator.engine.disk_usage import DiskUsage
from orchestrator.server import Orchestrator
from tests.support.asgi import api_of
from tests.support.fakes.engine import FakeData, FakeEngine

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def engine_of(orchestrator: Orchestrator) -> FakeEngine:
    engine = orchestrator.engine
    assert isinstance(engine, FakeEngine)
    return engine


def container(orchestrator: Orchestrator, name: str, app: str, deployment: str = "", role: str = Role.APP) -> None:
    labels = {LABEL_APP: app, LABEL_ROLE: role, LABEL_DEPLOYMENT: deployment} if app else {}
    asyncio.run(engine_of(orchestrator).start(ContainerSpec(name, "image", labels, "test")))


def shop_is_live(orchestrator: Orchestrator) -> None:
    for name in ("d1", "d2"):
        made = Deployment(name, "shop", Kind.DEPLOY, State.LIVE, "me", MOMENT, live_at=MOMENT, colour=Colour.BLUE)
        orchestrator.journal.add(made)
        container(orchestrator, f"test-shop-{name}", "shop", name)
    orchestrator.journal.save_switch("shop", Slots("d2", "d1"))


def what_an_app_left(orchestrator: Orchestrator) -> FakeEngine:
    """Of an app "old" that is not configured any more; and things of Changeover itself and of others beside it."""
    engine = engine_of(orchestrator)
    container(orchestrator, "test-old-blue-d9", "old", "d9")
    orchestrator.journal.add(Deployment("d9", "old", Kind.DEPLOY, State.LIVE, "me", MOMENT, live_at=MOMENT))
    orchestrator.journal.save_switch("old", Slots("d9", ""))
    engine.named_volumes = {"test-old-data", "test-old-uploads", "test-shop-data", "test-backups"}
    engine.tags = {
        "test/old:1",
        "test/old:2",
        "test/shop:1",
        "test/orchestrator:latest",
        "test/proxy:latest",
        "other/old:1",
        "test/base:1",  # of a person: no app of this name was ever deployed
    }
    engine.backups["old"] = {"b1": (Summary("b1", "old", "", "", "", MOMENT.isoformat(), 1), FakeData())}
    return engine


def ask(orchestrator: Orchestrator, method: str, path: str, scope: Scope = Scope.ADMIN) -> httpx.Response:
    orchestrator.ready = True
    secret = tokens.create(orchestrator.journal, f"t{secrets.token_hex(4)}", scope)

    async def story() -> httpx.Response:
        transport = httpx.ASGITransport(app=api_of(orchestrator))
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as client:
            return await client.request(method, path)

    return asyncio.run(story())


def test_what_is_needed_is_no_finding(orchestrator: Orchestrator) -> None:
    shop_is_live(orchestrator)

    assert asyncio.run(labelled(orchestrator)) == []


@pytest.mark.parametrize(
    ("name", "app", "deployment", "role", "what"),
    [
        ("by-hand", "", "", "", "containers without an app"),
        ("old", "old", "d9", Role.APP, "app old"),
        ("an-earlier-one", "shop", "d0", Role.APP, "containers of shop"),
        ("a-copy", "shop", "d2", Role.APP, "containers of shop"),
        ("a-sidecar", "shop", "d2", Role.SIDECAR, "containers of shop"),
        ("of-another-role", "shop", "d2", "experiment", "containers of shop"),
    ],
)
def test_every_container_with_the_label_that_is_not_needed_is_counted(
    orchestrator: Orchestrator, name: str, app: str, deployment: str, role: str, what: str
) -> None:
    shop_is_live(orchestrator)
    container(orchestrator, name, app, deployment, role)

    (finding,) = asyncio.run(labelled(orchestrator))

    assert (finding.what, finding.well) == (what, False)
    assert name in finding.says + finding.remedy


@pytest.mark.parametrize(
    ("name", "app", "role"),
    [
        ("a-list", "shop", Role.SIDECAR),
        ("a-folder", "", ""),
        ("of-an-app-not-configured", "old", Role.SIDECAR),
    ],
)
def test_what_is_at_work_is_no_finding(orchestrator: Orchestrator, name: str, app: str, role: str) -> None:
    """The remedy would end a backup or a restore under way."""
    shop_is_live(orchestrator)
    container(orchestrator, name, app, "d2", role)
    engine_of(orchestrator).awaited.add(name)

    assert asyncio.run(labelled(orchestrator)) == []

    engine_of(orchestrator).awaited.clear()
    (finding,) = asyncio.run(labelled(orchestrator))
    assert " 1 container" in f" {finding.says}", "without a call that waits for it, it is left"


@pytest.mark.parametrize("app", ["shop", "", "old"])
def test_what_ends_while_it_is_looked_at_is_no_finding(
    orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch, app: str
) -> None:
    shop_is_live(orchestrator)
    container(orchestrator, "a-list", app, "d2", Role.SIDECAR)
    engine = engine_of(orchestrator)
    usage = engine.disk_usage

    async def it_ends() -> DiskUsage:
        engine.running.pop("a-list", None)
        return await usage()

    monkeypatch.setattr(engine, "disk_usage", it_ends)

    assert asyncio.run(labelled(orchestrator)) == []


def test_what_an_app_has_left_is_shown_and_removed_and_nothing_else(orchestrator: Orchestrator) -> None:
    shop_is_live(orchestrator)
    engine = what_an_app_left(orchestrator)
    mirror = orchestrator.settings.state / "sources" / "old.git"
    mirror.mkdir(parents=True)

    (finding,) = asyncio.run(labelled(orchestrator))
    shown = ask(orchestrator, "GET", "/v1/leftovers/old").json()
    removed = ask(orchestrator, "DELETE", "/v1/leftovers/old").json()

    assert finding.says == (
        "not configured, so that no request reaches it, but has 1 container, 2 volumes, 2 images; 1 of its containers "
        "runs on; its data is in test-old-data, test-old-uploads; its backups, if it has any, are in changeover-backups"
    )
    assert "configure the name again" in finding.remedy
    assert "docs/rename.md" in finding.remedy
    assert finding.remedy.endswith("changeover remove old")
    assert shown == removed
    assert shown == {
        "app": "old", "containers": ["test-old-blue-d9"], "volumes": ["test-old-data", "test-old-uploads"],
        "images": ["test/old:1", "test/old:2"], "backups": ["b1"],
    }  # fmt: skip
    assert set(engine.running) == {"test-shop-d1", "test-shop-d2"}
    assert engine.named_volumes - {orchestrator.settings.backups} == {"test-shop-data", "test-backups"}
    assert engine.tags == {"test/shop:1", "test/orchestrator:latest", "test/proxy:latest", "other/old:1", "test/base:1"}
    assert engine.backups["old"] == {}
    assert not mirror.exists()
    assert orchestrator.journal.slots("old") == Slots()
    assert [one.id for one in orchestrator.journal.deployments("old")] == ["d9"]
    assert asyncio.run(labelled(orchestrator)) == []
    assert ask(orchestrator, "DELETE", "/v1/leftovers/old").status_code == 404


def test_while_no_configuration_is_known_no_app_is_said_to_be_taken_out_of_it(orchestrator: Orchestrator) -> None:
    """The proxy goes on with its files, and their requests reach them: what doctor tells to remove would be live."""
    shop_is_live(orchestrator)
    orchestrator.settings.config.write_text("apps: [")
    (orchestrator.settings.state / "last-valid-config.yaml").unlink(missing_ok=True)
    again = Orchestrator(orchestrator.settings, engine=orchestrator.engine, proxy=orchestrator.proxy)
    again.load()

    assert not again.config_file.is_known
    assert [one for one in asyncio.run(labelled(again)) if "not configured" in one.says] == []
    assert asyncio.run(removed_apps(again)) == []


def test_backups_are_kept_where_that_is_wanted(orchestrator: Orchestrator) -> None:
    engine = what_an_app_left(orchestrator)

    assert ask(orchestrator, "DELETE", "/v1/leftovers/old?keep_backups=true").status_code == 200

    assert set(engine.backups["old"]) == {"b1"}


@pytest.mark.parametrize("app", ["shop", "panel"])
def test_an_app_that_is_configured_is_not_removed(orchestrator: Orchestrator, app: str) -> None:
    shop_is_live(orchestrator)

    refused = ask(orchestrator, "DELETE", f"/v1/leftovers/{app}")

    assert refused.status_code == 409
    assert set(engine_of(orchestrator).running) == {"test-shop-d1", "test-shop-d2"}


@pytest.mark.parametrize("name", ["..", "a%2fb", "A", "-x", "x" * 40])
def test_what_is_no_name_of_an_app_reaches_nothing(orchestrator: Orchestrator, name: str) -> None:
    assert ask(orchestrator, "DELETE", f"/v1/leftovers/{name}").status_code in (404, 405, 422)


def test_a_token_that_may_deploy_removes_no_data(orchestrator: Orchestrator) -> None:
    engine = what_an_app_left(orchestrator)

    assert ask(orchestrator, "DELETE", "/v1/leftovers/old", Scope.DEPLOY).status_code == 403
    assert engine.named_volumes >= {"test-old-data"}


@pytest.mark.parametrize(
    ("volumes", "once", "left"),
    [
        ("[]", {"shop", "shop-data"}, {"shop-data": ("test-shop-data-data",)}),
        ("[]", {"shop"}, {}),
        ("['user-data:/users', 'uploads:/uploads']", {"shop"}, {}),
        ("['user-data:/users']", {"shop", "shop-user"}, {}),
        ("[]", {"shop", "shop-user"}, {"shop-user": ("test-shop-user-data",)}),
    ],
)
def test_a_volume_belongs_to_one_app_and_never_to_one_whose_name_it_only_resembles(
    orchestrator: Orchestrator, volumes: str, once: set[str], left: dict[str, tuple[str, ...]]
) -> None:
    """What doctor tells to remove would be the data of an app that is live."""
    shop = f"apps:\n  shop:\n    route: {{host: shop.test}}\n    run: {{data: /data, volumes: {volumes}}}\n"
    orchestrator.settings.config.write_text(shop)
    asyncio.run(orchestrator.reload_config())
    engine = engine_of(orchestrator)
    named = {"test-shop-data", "test-shop-uploads"}
    engine.named_volumes = (
        named
        | {f"test-{app}-data" for app in ("shop-user", "shop-data") if app in once}
        | ({"test-shop-user-data"} if "user" in volumes else set())
    )

    found = asyncio.run(leftovers.find(engine, orchestrator.apps.all(), once))

    assert {one.app: one.volumes for one in found} == left


def test_backups_in_a_place_of_their_own_are_shown_and_removed_as_well(orchestrator: Orchestrator) -> None:
    """Nothing else says where they are when the app is not configured any more."""
    engine, text = orchestrator.engine, orchestrator.settings.config.read_text()
    assert isinstance(engine, FakeEngine)
    for place in ("/srv/one", "/srv/two"):
        update = f"{{git: {{remote: /srv/old}}, backup: {{backup_location: {place}}}}}"
        old = f"  old:\n    route: {{host: old.test}}\n    run: {{data: /data}}\n    update: {update}\n"
        orchestrator.settings.config.write_text(text + old)
        asyncio.run(orchestrator.reload_config())
        kept = Summary("20260101-000000-000000", "old", "v1", "abc", "test", "2026-01-01T00:00:00", 1)
        engine.backups[f"old{place}"] = {kept.id: (kept, FakeData())}
    orchestrator.settings.config.write_text(text)
    again = Orchestrator(orchestrator.settings, engine=engine, proxy=orchestrator.proxy)
    again.load()

    shown = ask(again, "GET", "/v1/leftovers/old").json()
    removed = ask(again, "DELETE", "/v1/leftovers/old")

    assert shown["backups"] == ["20260101-000000-000000"] * 2
    assert removed.status_code == 200
    assert engine.backups["old/srv/one"] == engine.backups["old/srv/two"] == {}
    assert ask(again, "GET", "/v1/leftovers/old").status_code == 404


def test_volumes_without_a_name_are_counted_and_left_to_a_person(orchestrator: Orchestrator) -> None:
    engine = orchestrator.engine
    assert isinstance(engine, FakeEngine)
    engine.anonymous_volumes = {"0" * 64, "1" * 64}

    (finding,) = asyncio.run(labelled(orchestrator))

    assert (finding.well, finding.warns) == (True, True)
    assert finding.says.startswith("2 volumes of this host have no name")

    engine.anonymous_volumes = {"0" * 64}
    (finding,) = asyncio.run(labelled(orchestrator))

    assert finding.says == "1 volume of this host has no name and is used by no container"
    assert finding.remedy.endswith("docker volume prune")
