"""The app's section of a backup's configuration file is shown as a difference, and put back into the file."""

from __future__ import annotations

import os

from orchestrator.domain.access import Scope
from tests.support.fakes.engine import FakeEngine
from tests.unit.api.conftest import Api
from tests.unit.conftest import SHOP

PATH = "/v1/apps/shop/backups/20260101-000000-000000/configuration"
OLD = SHOP.replace("shop.test", "old.test") + "    run: {env: {PASSWORD: correct-horse}}\n"


def archived(api: Api, text: str) -> str:
    engine = api.orchestrator.engine
    assert isinstance(engine, FakeEngine)
    engine.archived_configuration = text
    return api.token(Scope.ADMIN)


async def test_the_difference_is_shown_without_secrets_and_the_section_put_back(api: Api) -> None:
    token, file = archived(api, OLD), api.orchestrator.settings.config
    file.write_text("# ours\n" + SHOP + "# the end\n")
    file.chmod(0o640)

    shown = await api.json("GET", PATH, token)
    done = await api.json("POST", PATH, token, {"digest": shown["digest"]})

    assert "+    route: {host: old.test}" in shown["lines"]  # type: ignore[operator]
    assert "correct-horse" not in str(shown)
    assert file.read_text() == "# ours\n" + OLD + "# the end\n"
    assert os.stat(file).st_mode & 0o777 == 0o640
    assert file.with_name(file.name + ".previous").read_text() == "# ours\n" + SHOP + "# the end\n"
    await api.orchestrator.reload_config()
    assert api.orchestrator.config_file.digest == done["digest"]
    assert api.orchestrator.apps.get("shop").config.route.first_host == "old.test"
    assert (await api.json("GET", PATH, token))["lines"] == []


async def test_a_file_that_was_changed_meanwhile_is_not_replaced(api: Api) -> None:
    token, file = archived(api, OLD), api.orchestrator.settings.config
    shown = await api.json("GET", PATH, token)
    file.write_text(SHOP + "# edited\n")

    answer = await api.json("POST", PATH, token, {"digest": shown["digest"]})

    assert answer["status"] == 409
    assert "was changed since the difference was shown" in str(answer["detail"])
    assert file.read_text() == SHOP + "# edited\n"


async def test_what_cannot_be_put_back_says_why_and_leaves_the_file(api: Api) -> None:
    token = archived(api, "apps: {}\n")

    shown = await api.json("GET", PATH, token)
    refused = await api.json("POST", PATH, token, {"digest": shown["digest"]})

    assert "The configuration in the backup has no app 'shop'" in str(shown["refused"])
    assert refused["status"] == 409
    assert api.orchestrator.settings.config.read_text() == SHOP
