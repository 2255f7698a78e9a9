"""The versions of a source: the commands and the panel's screen of them, over the real routes of the API."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import uvicorn
from typer.testing import Result

from orchestrator.domain.access import Scope
from orchestrator.server import Orchestrator
from orchestrator.settings import Settings
from panel.app import PanelApp
from panel.client.client import Client
from panel.screens.question import QuestionScreen
from panel.screens.versions import VersionsScreen
from tests.support.addresses import free_port
from tests.support.command_line import changeover
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.proxy import FakeProxy
from tests.support.git_repository import Remote
from tests.support.screen import shown
from tests.unit.api.conftest import Api

CONFIG = """
apps:
  shop:
    update: {{enabled: false, git: {{remote: {remote}, tags: "v*"}}{more}}}
    route: {{host: shop.test}}
  blog:
    update: {{enabled: false, git: {{remote: {remote}}}}}
    route: {{host: blog.test}}
"""
WITHIN_S = 30.0


class Served:
    """The API at an address of this host, with a shop whose repository has the tags v1.0.0 to v1.2.0."""

    def __init__(self, api: Api, url: str) -> None:
        self.api = api
        self.url = url
        self.token = api.token(Scope.DEPLOY, "shop", name="anna")

    async def command(self, *arguments: str) -> Result:
        """What the command `changeover` prints; runs beside the API, as another process does."""
        environment = {"CHANGEOVER_URL": self.url, "CHANGEOVER_TOKEN": self.token, "COLUMNS": "160"}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            return await asyncio.to_thread(changeover, *arguments)


@pytest.fixture
async def served(tmp_path: Path, empty_journal: Path, request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    (tmp_path / "journal.db").write_bytes(empty_journal.read_bytes())
    remote = Remote(tmp_path / "remote")
    for number in range(3):
        remote.commit(f"feat: number {number}")
        remote.git("tag", f"v1.{number}.0")
    settings = Settings(state=tmp_path, config=tmp_path / "control-panel-config.yaml", proxy=tmp_path / "proxy")
    settings.config.write_text(CONFIG.format(remote=remote.path, more=getattr(request, "param", "")))
    engine = FakeEngine()
    orchestrator = Orchestrator(settings, engine=engine, proxy=FakeProxy(engine))
    orchestrator.load()
    orchestrator.health.fresh_within_s = 0.0
    api, port = Api(orchestrator), free_port()
    server = uvicorn.Server(uvicorn.Config(api.app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield Served(api, f"http://127.0.0.1:{port}")
    server.should_exit = True
    await serving
    await orchestrator.supervisor.stop()


async def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_what_is_skipped_is_listed_as_that_and_what_came_before_it_is_offered(served: Served) -> None:
    listed = await served.command("versions", "shop", "--json")
    assert [one["version"] for one in json.loads(listed.stdout)["versions"]] == ["v1.2.0", "v1.1.0", "v1.0.0"]
    assert "shop: v1.2.0 is available" in (await served.command("check", "shop")).stdout

    skipped = await served.command("skip", "shop", "v1.2.0")
    # What is before it is the log of the orchestrator, which runs in this process.
    assert skipped.stdout.splitlines()[-1] == "shop v1.2.0 is not offered any more."
    assert "skipped" in (await served.command("versions", "shop")).stdout.splitlines()[1]
    assert "shop: v1.1.0 is available" in (await served.command("check", "shop")).stdout

    # With and without its `v` it is the same version.
    await served.command("skip", "shop", "1.1.0")
    await served.command("skip", "shop", "v1.0.0")
    said = (await served.command("check", "shop")).stdout
    assert "v1.2.0 is skipped since" in said
    assert "by anna" in said
    assert "changeover skip shop v1.2.0 --undo" in " ".join(said.split())

    undone = await served.command("skip", "shop", "v1.2.0", "--undo")
    assert undone.stdout.splitlines()[-1] == "shop v1.2.0 is offered again."
    assert "shop: v1.2.0 is available" in (await served.command("check", "shop")).stdout
    refused = await served.command("skip", "shop", "v1.2.0", "--undo")
    assert (refused.exit_code, "v1.2.0 of shop is not skipped" in refused.stderr) == (3, True)


async def test_what_is_dismissed_is_not_shown_and_is_told_again_by_a_check(served: Served) -> None:
    client = Client(served.url, served.token)
    assert (await client.check("shop")) is not None
    assert (await client.app("shop")).update is not None

    await client.dismiss("shop")

    assert (await client.app("shop")).update is None
    assert (await client.check("shop")) is not None


async def test_versions_are_those_of_the_apps_of_a_token_and_read_alone_changes_nothing(served: Served) -> None:
    read = served.api.token(Scope.READ, "shop")
    skip = {"version": "v1.2.0"}
    for method, url, body, secret, status in (
        ("GET", "/v1/apps/shop/update/versions", None, read, 200),
        ("GET", "/v1/apps/blog/update/versions", None, read, 403),
        ("GET", "/v1/apps/shop/update/versions", None, "", 401),
        ("POST", "/v1/apps/shop/update/skip", skip, read, 403),
        ("POST", "/v1/apps/shop/update/dismiss", None, read, 403),
        ("POST", "/v1/apps/blog/update/skip", skip, served.token, 403),
        ("POST", "/v1/apps/shop/update/skip", skip, served.token, 200),
        ("POST", "/v1/apps/shop/update/skip", {"version": ""}, served.token, 422),
        ("POST", "/v1/apps/shop/update/skip", {"version": "\x1b[31m"}, served.token, 422),
        ("POST", "/v1/apps/shop/update/skip", {"version": "x" * 201}, served.token, 422),
        ("POST", "/v1/apps/shop/update/skip", {"version": "v1", "undo": "perhaps"}, served.token, 422),
        ("POST", "/v1/apps/shop/update/skip", {"version": "v1", "for": "ever"}, served.token, 422),
    ):
        assert await served.api.status(method, url, secret, body) == status, (method, url, body)


async def test_the_panel_lists_the_versions_skips_one_and_asks_before_it_deploys_one(served: Served) -> None:
    panel = PanelApp(Client(served.url, served.token))
    async with panel.run_test(size=(100, 30)) as pilot:
        await until(lambda: panel._dashboard.selected == "shop")
        await pilot.press("v")
        await until(lambda: "v1.0.0" in shown(pilot))
        assert isinstance(panel.screen, VersionsScreen)

        await pilot.press("s")
        await until(lambda: "skipped" in shown(pilot))
        assert served.api.orchestrator.checker.remembered.skipped("shop", "v1.2.0")
        await until(lambda: len(panel._notifications) == 1)
        assert [one.message for one in panel._notifications] == ["shop v1.2.0 is not offered any more."]

        # The cursor is where it was; the same key takes it back.
        await pilot.press("s")
        await until(lambda: not served.api.orchestrator.checker.remembered.skipped("shop", "v1.2.0"))
        await until(lambda: "skipped" not in shown(pilot))

        await pilot.press("down", "down", "enter")
        await until(lambda: isinstance(panel.screen, QuestionScreen))
        assert "Deploy v1.0.0?" in shown(pilot)
        assert served.api.orchestrator.journal.deployments("shop", 1) == []
        await pilot.press("n")
        await until(lambda: panel.screen is panel._dashboard)
        assert served.api.orchestrator.journal.deployments("shop", 1) == []

        await pilot.press("v")
        await until(lambda: "v1.0.0" in shown(pilot))
        await pilot.press("down", "down", "enter")
        await until(lambda: isinstance(panel.screen, QuestionScreen))
        await pilot.press("y")
        await until(lambda: served.api.orchestrator.journal.deployments("shop", 1))
        (asked,) = served.api.orchestrator.journal.deployments("shop", 1)
        assert (asked.ref, asked.requested_by) == ("v1.0.0", "anna")


async def test_a_panel_whose_token_may_not_skip_does_not_offer_it(served: Served) -> None:
    panel = PanelApp(Client(served.url, served.api.token(Scope.READ, "shop")))
    async with panel.run_test(size=(100, 30)) as pilot:
        await until(lambda: panel._dashboard.selected == "shop")
        await pilot.press("v")
        await until(lambda: "v1.0.0" in shown(pilot))
        assert "S Skip" not in shown(pilot)
        await pilot.press("s")
        await pilot.pause()
        assert not panel._notifications
        assert served.api.orchestrator.checker.remembered.skipped("shop", "v1.2.0") is None


@pytest.mark.parametrize("served", [", minimum_age: 30000000"], indirect=True)
async def test_a_version_that_is_too_young_is_said_where_updates_are_shown(served: Served) -> None:
    assert await Client(served.url, served.token).check("shop") is None
    says = "v1.2.0 was released at"
    assert says in (await served.command("status", "shop")).stdout
    panel = PanelApp(Client(served.url, served.token))
    async with panel.run_test(size=(100, 30)) as pilot:
        await until(lambda: says in shown(pilot))
        assert "it is offered from" in " ".join(shown(pilot).split())


async def test_a_version_that_the_source_does_not_have_is_not_skipped(served: Served) -> None:
    refused = await served.command("skip", "shop", "v9.9.9")

    assert refused.exit_code == 2
    assert "has no version 'v9.9.9'. Its newest: v1.2.0, v1.1.0, v1.0.0." in " ".join(refused.stderr.split())
    undo = await served.command("skip", "shop", "v9.9.9", "--undo")
    assert undo.exit_code == 3, "nothing was remembered"
