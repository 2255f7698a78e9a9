"""The configuration of an app: values with their lines, secrets hidden, and what was changed since the deployment."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from orchestrator.apps.deployed_values import DeployedValues
from orchestrator.apps.made_from import made_from
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from tests.unit.api.conftest import Api

FILE = """\
apps:
  shop:
    update: {git: {remote: /srv/shop}}
    route: {host: shop.test}
    run:
      port: 8000
      env:
        SMTP_PASS: hunter2
        COLOUR: green
    migrate:
      command: migrate --password=hunter2
"""
PATH = "/v1/apps/shop/configuration"


def use(api: Api, text: str) -> None:
    api.orchestrator.settings.config.write_text(text)
    read = api.orchestrator.config_file.read()
    api.orchestrator.apps.take(read.loaded.config)
    api.orchestrator.config_file.accept(read)


async def values(api: Api, scope: Scope = Scope.READ) -> dict[str, Any]:
    found: Any = await api.json("GET", PATH, api.token(scope, "shop"))
    return {one["key"]: one for one in found["values"]}


async def deploy(api: Api) -> None:
    """As it is configured now."""
    context = api.orchestrator.apps.get("shop")
    live = Deployment("d1", "shop", Kind.DEPLOY, State.LIVE, "me", now(), colour=Colour.BLUE, container="shop-blue")
    live = dataclasses.replace(live, release=Release("v1", "1" * 40, "sha256:1"), made_from=made_from(context))
    api.orchestrator.journal.add(live)
    api.orchestrator.journal.save_switch("shop", Slots("d1"))
    keeping = asyncio.create_task(DeployedValues(api.orchestrator.apps.all, api.orchestrator.journal).keep_current())
    async with asyncio.timeout(20):
        while api.orchestrator.journal.deployed_values("d1") is None:  # noqa: ASYNC110 (it has no event)
            await asyncio.sleep(0.005)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


@pytest.fixture
def shop(api: Api) -> Api:
    use(api, FILE)
    return api


async def test_each_value_has_its_origin_and_line(shop: Api) -> None:
    found = await values(shop)

    assert (found["run.port"]["value"], found["run.port"]["origin"], found["run.port"]["line"]) == ("8000", "file", 6)
    assert (found["run.env.COLOUR"]["value"], found["run.env.COLOUR"]["line"]) == ("green", 9)
    assert (found["run.memory"]["origin"], found["run.memory"]["line"]) == ("default", None)
    assert found["address"]["origin"] == "derived"
    assert "shop.test" in found["address"]["value"]


async def test_secrets_are_hidden_and_commands_are_for_admins(shop: Api) -> None:
    found = await values(shop)
    assert found["run.env.SMTP_PASS"]["value"] == "[hidden]"
    assert found["migrate.command"]["value"] == "[hidden]"
    assert "hunter2" not in str(found)

    assert (await values(shop, Scope.ADMIN))["migrate.command"]["value"].startswith("migrate --password=")


async def test_what_was_changed_since_the_deployment_has_its_value_of_then(shop: Api) -> None:
    await deploy(shop)
    assert [one for one in (await values(shop)).values() if one["before"] is not None] == []

    use(shop, FILE.replace("port: 8000", "port: 9000").replace("        COLOUR: green\n", ""))
    found: Any = await shop.json("GET", PATH, shop.token(Scope.READ))

    changed = {one["key"]: (one["value"], one["before"]) for one in found["values"] if one["before"] is not None}
    assert changed == {"run.port": ("9000", "8000"), "run.env.COLOUR": ("", "green")}
    assert (found["deployed"], found["is_changed"], found["is_known"]) == ("d1", True, True)


async def test_of_a_release_of_before_it_is_not_known_what_it_had(shop: Api) -> None:
    live = Deployment("d1", "shop", Kind.DEPLOY, State.LIVE, "me", now(), made_from="of another configuration")
    shop.orchestrator.journal.add(live)
    shop.orchestrator.journal.save_switch("shop", Slots("d1"))

    found: Any = await shop.json("GET", PATH, shop.token(Scope.READ))

    assert (found["is_changed"], found["is_known"]) == (True, False)


async def test_a_token_of_another_app_sees_nothing(shop: Api) -> None:
    assert await shop.status("GET", PATH, shop.token(Scope.READ, "till")) == 403


async def test_the_panel_has_only_what_is_fixed_and_what_the_file_says(shop: Api) -> None:
    use(shop, FILE + "update: {enabled: false}\n")
    found: Any = await shop.json("GET", "/v1/apps/panel/configuration", shop.token(Scope.READ))
    of = {one["key"]: (one["value"], one["origin"], one["line"]) for one in found["values"]}

    assert of["update.enabled"] == ("false", "file", 12)
    assert of["run.port"] == ("8000", "derived", None)
