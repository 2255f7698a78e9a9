"""`validate` and `doctor` say what a valid configuration names and what cannot work."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.clock import now
from orchestrator.config import env_file
from orchestrator.config.loader import Loaded
from orchestrator.doctor.checks import examine
from orchestrator.domain.access import Scope
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from tests.unit.api.conftest import Api

SHOP = "apps:\n  shop:\n    route: {host: shop.test}\n    update: {git: {remote: https://git.test/shop}}\n"
OWN = "apps:\n  shop:\n    route: {host: shop.test}\n"


async def problems(api: Api, text: str) -> list[str]:
    found = (await api.json("POST", "/v1/config/validate", api.token(Scope.READ), {"text": text}))["problems"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SHOP + "    drain: {signal: SIGWHAT}\n", "apps.shop.drain.signal: expected the name of a signal"),
        (SHOP + "    health: {path: readyz}\n", "apps.shop.health.path: expected a URL path that begins with /"),
        (SHOP + "    run: {env_file: gone.env}\n", "gone.env cannot be read: No such file or directory"),
        (SHOP.replace("  shop:", "  shop-:"), "apps.shop-: expected a name"),
        (SHOP + "    health: {timeout: .inf}\n", "apps.shop.health.timeout: expected a number of at most"),
        (OWN, "apps.shop.update.git.remote: the app has no repository of its own"),
        (
            SHOP.replace("https://git.test/shop", "git@git.test:shop"),
            "it is reached by SSH, and update.git.key_file is not set",
        ),
    ],
)
async def test_what_cannot_work_is_found(api: Api, text: str, says: str) -> None:
    assert [one for one in await problems(api, text) if says in one], await problems(api, text)


async def test_a_token_for_some_apps_does_not_learn_which_paths_the_container_has(api: Api) -> None:
    text = SHOP.replace("https://git.test/shop", "/srv/nowhere")
    asked = {"text": text}

    (says,) = await problems(api, text)
    of_some: Any = await api.json("POST", "/v1/config/validate", api.token(Scope.READ, "shop"), asked)

    assert "A path of the host must be mounted: add '/srv/nowhere:/srv/nowhere:ro'" in says
    assert of_some["problems"] == []


async def test_a_token_for_some_apps_learns_of_no_file_but_those_of_its_own_app(api: Api) -> None:
    """It could try the names of all files, and learn which secrets others have, and how they are written."""
    orchestrator = api.orchestrator
    orchestrator.settings.config.write_text(SHOP + "    run: {env_file: gone.env}\n")
    (orchestrator.settings.config.parent / "other.env").write_text("a secret that is no variable\n")
    await orchestrator.reload_config()
    await orchestrator.supervisor.stop()
    token = api.token(Scope.READ, "shop")

    async def checked(file: str) -> Any:  # Any: JSON
        text = SHOP + f"    run: {{env_file: {file}}}\n    build: {{secrets: {{npm: {file}}}}}\n"
        return await api.json("POST", "/v1/config/validate", token, {"text": text})

    of_another, of_none, own = [await checked(file) for file in ("other.env", "nothing.env", "gone.env")]

    assert of_another == of_none
    assert of_none["problems"] == []
    assert [one for one in of_none["notices"] if "were not looked for: that needs a token for all apps" in one]
    assert "gone.env cannot be read: No such file" in str(own["problems"])
    assert own["notices"] == []


async def test_what_works_has_no_problem(api: Api) -> None:
    more = "    health: {timeout: 10m, path: /readyz}\n    drain: {timeout: 90s, signal: SIGUSR1}\n"

    assert await problems(api, SHOP + more) == []


async def test_the_doctor_finds_an_environment_file_that_is_not_there(api: Api) -> None:
    orchestrator = api.orchestrator
    orchestrator.settings.config.write_text(SHOP + "    run: {env_file: gone.env}\n")
    await orchestrator.reload_config()

    found = [one for one in await examine(orchestrator) if "gone.env" in one.says]
    await orchestrator.supervisor.stop()

    assert [one.well for one in found] == [False]


@pytest.mark.parametrize(
    "text", ["", "    run: {env_file: gone.env}\n", "    run: {ports: 3}\n", "    run: {env_file: .}\n"]
)
async def test_no_finding_of_the_doctor_contradicts_one_of_the_same_part(api: Api, text: str) -> None:
    orchestrator = api.orchestrator
    orchestrator.settings.config.write_text(SHOP + text)
    await orchestrator.reload_config()

    found = await examine(orchestrator)
    await orchestrator.supervisor.stop()

    green = {one.what for one in found if one.well and not one.warns}
    assert not green & {one.what for one in found if not one.well}
    assert any(one.what == "configuration" for one in found)
    assert any(one.says == "valid" for one in found) is (text == "")


def shop_is_live(api: Api) -> None:
    journal = api.orchestrator.journal
    journal.add(Deployment("d1", "shop", Kind.DEPLOY, State.LIVE, "test", now(), live_at=now(), ended_at=now()))
    journal.save_switch("shop", Slots(active="d1"))


async def test_an_app_that_gets_another_name_is_told_of_before_and_afterwards(api: Api) -> None:
    """It would be down without a word, and begin without its data."""
    orchestrator, renamed = api.orchestrator, SHOP.replace("  shop:", "  store:")
    orchestrator.settings.config.write_text(SHOP)
    await orchestrator.reload_config()
    shop_is_live(api)

    before: Any = await api.json("POST", "/v1/config/validate", api.token(Scope.READ), {"text": renamed})
    of_another: Any = await api.json("POST", "/v1/config/validate", api.token(Scope.READ, "store"), {"text": renamed})
    orchestrator.settings.config.write_text(renamed)
    await orchestrator.reload_config()
    after: Any = await api.json("GET", "/v1/apps", api.token(Scope.READ))
    orchestrator.settings.config.write_text(SHOP)
    await orchestrator.reload_config()
    async with asyncio.timeout(20):
        while orchestrator.config_file.waits:  # for the end of the other one's recovery
            await asyncio.sleep(0.02)
            await orchestrator.reload_config()
    again: Any = await api.json("GET", "/v1/apps", api.token(Scope.READ))
    await orchestrator.supervisor.stop()

    assert before["notices"] == [
        "apps.shop: it is live, and not in this file, with which no request reaches it. Its containers, data and "
        "backups are left as they are. store has the same source, but begins without its data: docs/rename.md "
        "has the steps to rename an app"
    ]
    assert of_another["notices"] == []
    (trouble,) = after["troubles"]
    assert trouble["says"].startswith("shop is not configured any more: no request reaches it.")
    assert "configure the name again" in trouble["remedy"]
    assert trouble["remedy"].endswith("changeover remove shop")
    assert again["troubles"] == []


async def test_an_empty_file_is_refused_by_validate_as_by_the_server(api: Api) -> None:
    orchestrator = api.orchestrator
    orchestrator.settings.config.write_text(SHOP)
    await orchestrator.reload_config()
    orchestrator.settings.config.write_text("")
    await orchestrator.reload_config()
    await orchestrator.supervisor.stop()

    assert "the file is empty" in orchestrator.config_file.problem
    assert [one.partition(": ")[2] for one in await problems(api, "")] == [
        orchestrator.config_file.problem.partition(": ")[2]
    ]


async def test_status_shows_why_an_app_cannot_be_deployed(api: Api) -> None:
    orchestrator = api.orchestrator
    orchestrator.settings.config.write_text(OWN + "    run: {env_file: gone.env}\n")
    await orchestrator.reload_config()
    await orchestrator.supervisor.stop()

    shop = await api.json("GET", "/v1/apps/shop", api.token(Scope.READ))

    says = str(shop["troubles"])
    assert "apps.shop.update.git.remote: the app has no repository of its own" in says
    assert "gone.env cannot be read: No such file" in says


async def test_a_file_of_an_app_is_read_again_for_its_status_only_when_it_was_changed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every open page of the panel asks every few seconds, and each question read the files of all apps."""
    orchestrator = api.orchestrator
    folder = orchestrator.settings.config.parent
    orchestrator.settings.config.write_text(SHOP + "    run: {env_file: shop.env}\n")
    (folder / "shop.env").write_text("KEY=value\n")
    await orchestrator.reload_config()
    async with asyncio.timeout(20):
        while orchestrator.recovery.problem("shop"):  # noqa: ASYNC110 (recovery has no event)
            await asyncio.sleep(0)
    reads, read = [], env_file.read_bounded

    def counted(path: Path, called: str = "") -> bytes:
        reads.append(path)
        return read(path, called)

    monkeypatch.setattr(env_file, "read_bounded", counted)
    token = api.token(Scope.READ)

    async def troubles() -> str:
        return str((await api.json("GET", "/v1/apps/shop", token))["troubles"])

    assert [await troubles() for _ in range(5)] == ["[]"] * 5
    assert len(reads) == 1
    (folder / "shop.env").write_text("no value\n")
    assert "is not NAME=value" in await troubles()
    (folder / "shop.env").unlink()
    assert "No such file" in await troubles()


async def test_one_token_checks_one_configuration_at_a_time_and_keeps_no_other_from_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes a processor for seconds: a read token had all threads of the orchestrator at work."""
    at_work, most, check = set[int](), list[int](), api.orchestrator.config_file.check

    def slow(text: str, name: str) -> Loaded:
        at_work.add(threading.get_ident())
        most.append(len(at_work))
        time.sleep(0.05)
        at_work.discard(threading.get_ident())
        return check(text, name)

    monkeypatch.setattr(api.orchestrator.config_file, "check", slow)
    tokens = [api.token(Scope.READ)] * 10
    asked = [api.json("POST", "/v1/config/validate", token, {"text": SHOP}) for token in tokens]

    answers = await asyncio.gather(*asked)

    assert max(most) == 1
    assert all(answer["problems"] == [] for answer in answers)


async def test_an_app_whose_database_is_called_as_it_is_still_named(api: Api) -> None:
    """Every value of an environment file is a secret, and its app's name was taken out of all messages."""
    orchestrator = api.orchestrator
    orchestrator.settings.config.write_text(
        SHOP.replace("  shop:", "  shop-backend:").replace("shop.test", "shop-backend.test")
        + "    run: {env_file: shop.env}\n"
    )
    url = "postgres://shop:a-long-password@db/shop?application_name=shop-backend"
    (orchestrator.settings.config.parent / "shop.env").write_text(f"POSTGRES_DB=shop-backend\nURL={url}\n")
    await orchestrator.reload_config()

    shown = await api.json("POST", "/v1/apps/shop-backend/backups", api.token(Scope.DEPLOY))

    assert shown["remedy"] == "Deploy one: changeover deploy shop-backend"
    assert orchestrator.known_secrets.text("a-long-password") == "[hidden]"
    assert orchestrator.known_secrets.text("http://shop-backend.test") == "http://shop-backend.test"
