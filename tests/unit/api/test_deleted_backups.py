"""A backup is deleted by an admin, and not while something needs it; a check of one is remembered."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchestrator.clock import now
from orchestrator.config import loader
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from orchestrator.domain.unsettled import Unsettled
from tests.unit.api.conftest import Api
from tests.unit.conftest import SHOP

PATH = "/v1/apps/shop/backups"


@pytest.fixture
def shop(api: Api) -> Api:
    """With a live release and data."""
    api.orchestrator.apps.take(loader.parse(f"{SHOP}    run: {{data: /data}}\n", "c.yaml").config)
    release = Release("v1", "1" * 40, "sha256:1")
    live = Deployment("d1", "shop", Kind.DEPLOY, State.LIVE, "me", now(), release=release, colour=Colour.BLUE)
    api.orchestrator.journal.add(dataclasses.replace(live, container="test-shop-blue-d1"))
    api.orchestrator.journal.save_switch("shop", Slots("d1"))
    return api


async def made(api: Api) -> str:
    return str((await api.json("POST", PATH, api.token(Scope.DEPLOY)))["id"])


async def listed(api: Api) -> list[Any]:  # Any: JSON
    found: Any = await api.json("GET", PATH, api.token(Scope.READ))
    return list(found["backups"])


async def test_an_admin_deletes_one_backup_and_no_other(shop: Api) -> None:
    kept, gone = await made(shop), await made(shop)
    admin = shop.token(Scope.ADMIN, name="ann")

    assert await shop.status("DELETE", f"{PATH}/{gone}", shop.token(Scope.DEPLOY)) == 403
    assert await shop.json("DELETE", f"{PATH}/{gone}", admin) == {"app": "shop", "backup": gone}

    assert [one["id"] for one in await listed(shop)] == [kept]
    (event,) = [one for one in shop.orchestrator.journal.events() if one.kind == "backup_deleted"]
    assert event.fields == {"backup": gone, "by": "ann"}


async def test_one_that_settles_the_data_is_not_deleted(shop: Api) -> None:
    backup = await made(shop)
    left = Unsettled("d1", now(), "A migration failed.", "Restore it.", backup)
    shop.orchestrator.journal.leave("shop", left)

    answer = await shop.json("DELETE", f"{PATH}/{backup}", shop.token(Scope.ADMIN))

    assert answer["status"] == 409
    assert [one["id"] for one in await listed(shop)] == [backup]


async def test_the_list_says_when_a_backup_was_verified(shop: Api) -> None:
    backup = await made(shop)
    assert (await listed(shop))[0]["verified_at"] is None

    answer: Any = await shop.json("POST", f"{PATH}/{backup}/verify", shop.token(Scope.READ))

    assert answer["verified_at"]
    (shown,) = await listed(shop)
    (event,) = [one for one in shop.orchestrator.journal.events() if one.kind == "backup_verified"]
    assert shown["verified_at"][:19] == event.at.isoformat()[:19]
