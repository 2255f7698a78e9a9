"""An app says that the saved configuration file is not in use: a deployment takes the one before it."""

from __future__ import annotations

from orchestrator.domain.access import Scope
from tests.unit.api.conftest import Api
from tests.unit.conftest import SHOP

NOT_USED = "The saved control-panel-config.yaml is not in use"


async def test_a_token_for_all_apps_is_told_why_and_one_for_some_only_that(api: Api) -> None:
    """What is wrong may be in the section of another app, with its values."""
    orchestrator = api.orchestrator
    orchestrator.settings.config.write_text(SHOP + "    drian: {timeout: 1}\n    rute: 1\n")
    await orchestrator.reload_config()

    of_all = (await api.json("GET", "/v1/apps/shop", api.token(Scope.READ)))["file_not_used"]
    of_one = (await api.json("GET", "/v1/apps/shop", api.token(Scope.READ, "shop")))["file_not_used"]

    assert of_one == f"{NOT_USED}."
    assert str(of_all).startswith(f"{NOT_USED}: control-panel-config.yaml:5: apps.shop.drian: ")
    assert str(of_all).endswith(".")
    assert "rute" not in str(of_all)


async def test_a_file_that_is_in_use_is_not_spoken_of(api: Api) -> None:
    assert (await api.json("GET", "/v1/apps/shop", api.token(Scope.READ)))["file_not_used"] == ""
