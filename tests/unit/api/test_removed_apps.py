"""What is kept of an app that is not configured any more can be read: its history and its backups."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchestrator.app_data import backups
from orchestrator.clock import now
from orchestrator.config import loader
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.release import Release
from orchestrator.domain.schema_history import Direction, Outcome, SchemaRevision
from tests.support.fakes.engine import FakeEngine
from tests.unit.api.conftest import Api
from tests.unit.conftest import SHOP

BLOG = """  blog:
    update: {git: {remote: /srv/blog}}
    route: {host: blog.test}
    run: {data: /data}
"""
ELSEWHERE = "    update: {git: {remote: /srv/blog}, backup: {backup_location: /mnt/blog}}\n"


@pytest.fixture(params=["in the volume of all backups", "in a folder of the host"])
async def removed(api: Api, request: pytest.FixtureRequest) -> str:
    """The id of a backup of `blog`, which was live with a backup, and was taken out of the configuration."""
    orchestrator = api.orchestrator
    text = BLOG if "volume" in request.param else BLOG.replace(BLOG.splitlines(keepends=True)[1], ELSEWHERE)
    orchestrator.apps.take(loader.parse(SHOP + text, "c.yaml").config)
    release = Release("v1", "1" * 40, "sha256:1")
    live = Deployment("d1", "blog", Kind.DEPLOY, State.LIVE, "me", now(), release=release, colour=Colour.BLUE)
    live = orchestrator.journal.add(dataclasses.replace(live, container="test-blog-blue-d1"))
    context = orchestrator.apps.get("blog")
    async with context.data_turn:
        made = await backups.create(context, live, "before the sale")
    orchestrator.apps.take(loader.parse(SHOP, "c.yaml").config)
    return made.id


async def test_its_history_is_listed(api: Api, removed: str) -> None:
    page: Any = await api.json("GET", "/v1/apps/blog/deployments", api.token(Scope.READ))

    assert [(one["id"], one["version"]) for one in page["deployments"]] == [("d1", "v1")]


async def test_its_migrations_are_those_on_record(api: Api, removed: str) -> None:
    begun = SchemaRevision("0001", says="orders")
    journal = api.orchestrator.journal
    journal.migration_ended(journal.migration_started("blog", "d1", Direction.UP), Outcome.DONE, (begun,))

    found: Any = await api.json("GET", "/v1/apps/blog/migrations", api.token(Scope.READ))
    of_nobody = await api.status("GET", "/v1/apps/nobody/migrations", api.token(Scope.READ))

    assert [one["revision"] for one in found["applied"]] == ["0001"]
    assert (found["pending"], found["problem"]) == (
        None,
        "blog is not configured any more: what is pending is not known.",
    )
    assert [one["deployment"] for one in found["runs"]] == ["d1"]
    assert found["rollback"]["way"] == "none"
    assert of_nobody == 404


async def test_its_backups_are_listed_checked_and_extracted_wherever_they_are(api: Api, removed: str) -> None:
    token = api.token(Scope.ADMIN)
    engine = api.orchestrator.engine
    assert isinstance(engine, FakeEngine)
    engine.archived_configuration = SHOP + BLOG

    found: Any = await api.json("GET", "/v1/apps/blog/backups", token)
    assert [(one["id"], one["reason"]) for one in found["backups"]] == [(removed, "before the sale")]
    at = f"/v1/apps/blog/backups/{removed}"
    assert (await api.json("POST", f"{at}/verify", token))["version"] == "v1"
    extract: Any = await api.json("GET", f"{at}/extract?part=config", token)
    assert extract["files"][0]["text"] == SHOP + BLOG


async def test_its_configuration_can_be_put_back_from_a_backup(api: Api, removed: str) -> None:
    token = api.token(Scope.ADMIN)
    engine = api.orchestrator.engine
    assert isinstance(engine, FakeEngine)
    engine.archived_configuration = SHOP + BLOG
    at = f"/v1/apps/blog/backups/{removed}/configuration"

    difference: Any = await api.json("GET", at, token)
    assert await api.status("POST", at, token, {"digest": difference["digest"]}) == 200

    assert "blog:" in api.orchestrator.settings.config.read_text()


READS = [
    ("GET", "/v1/apps/{}/deployments"),
    ("GET", "/v1/apps/{}/backups"),
    ("POST", "/v1/apps/{}/backups/b1/verify"),
    ("GET", "/v1/apps/{}/migrations"),
]


@pytest.mark.parametrize(("method", "url"), READS)
async def test_a_token_for_other_apps_sees_nothing_of_it_and_one_for_it_sees_it(
    api: Api, removed: str, method: str, url: str
) -> None:
    url = url.replace("b1", removed).format("blog")

    assert await api.status(method, url, api.token(Scope.READ, "shop")) == 403
    assert await api.status(method, url, api.token(Scope.READ, "blog")) == 200
    assert await api.status(method, url) == 401


@pytest.mark.parametrize(("method", "url"), READS)
async def test_of_a_name_that_nothing_is_known_of_nothing_is_read_and_nothing_made(
    api: Api, removed: str, method: str, url: str
) -> None:
    engine = api.orchestrator.engine
    assert isinstance(engine, FakeEngine)
    before = len(engine.sidecar_specs)

    answer = await api.json(method, url.format("nobody"), api.token(Scope.READ))

    assert answer["status"] == 404
    assert "No app 'nobody' is configured" in str(answer["detail"])
    assert len(engine.sidecar_specs) == before


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", "/v1/apps/blog", None),
        ("GET", "/v1/apps/blog/plan", None),
        ("POST", "/v1/apps/blog/backups", None),
        ("POST", "/v1/apps/blog/backups/{}/restore", None),
        ("POST", "/v1/apps/blog/deployments", {}),
        ("POST", "/v1/apps/blog/rollback", {}),
        ("GET", "/v1/apps/blog/logs", None),
    ],
)
async def test_what_needs_its_configuration_is_refused_as_before(
    api: Api, removed: str, method: str, url: str, body: object
) -> None:
    assert await api.status(method, url.format(removed), api.token(Scope.ADMIN), body) == 404
