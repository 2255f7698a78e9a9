"""A backup as the API shows it."""

from __future__ import annotations

import dataclasses
from typing import Any

from orchestrator.api.backups import entry_view
from orchestrator.backup_sidecar.manifest import Entry
from orchestrator.clock import now
from orchestrator.config import loader
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from tests.unit.api.conftest import Api
from tests.unit.conftest import SHOP


def test_a_damaged_backup_whose_folder_was_renamed_is_shown() -> None:
    shown = entry_view("shop", Entry("before-the-sale", 5, None, "its manifest cannot be read"), [])

    assert (shown.id, shown.created_at, shown.problem) == ("before-the-sale", None, "its manifest cannot be read")


async def test_a_new_backup_says_how_many_are_kept_and_one_in_the_list_does_not(api: Api) -> None:
    text = SHOP.replace("/srv/shop}}", "/srv/shop}, backup: {keep_backups: 7}}")
    api.orchestrator.apps.take(loader.parse(f"{text}    run: {{data: /data}}\n", "c.yaml").config)
    release = Release("v1", "1" * 40, "sha256:1")
    live = Deployment("d1", "shop", Kind.DEPLOY, State.LIVE, "me", now(), release=release, colour=Colour.BLUE)
    api.orchestrator.journal.add(dataclasses.replace(live, container="test-shop-blue-d1"))
    api.orchestrator.journal.save_switch("shop", Slots("d1"))

    made = await api.json("POST", "/v1/apps/shop/backups", api.token(Scope.DEPLOY))
    found: Any = await api.json("GET", "/v1/apps/shop/backups", api.token(Scope.READ))

    assert made["keep_backups"] == 7
    assert [one["keep_backups"] for one in found["backups"]] == [None]
