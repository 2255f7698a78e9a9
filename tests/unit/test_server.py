"""The server's wiring: loading the configuration, and taking or refusing a changed one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.clock import now
from orchestrator.config import watcher
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.events import EventKind
from orchestrator.errors import ProxyError, UnknownApp
from orchestrator.server import Orchestrator
from orchestrator.sources.git import GitRepository
from tests.support.fakes.proxy import FakeProxy
from tests.unit.conftest import SHOP

BLOG = "  blog:\n    update: {git: {remote: /srv/blog}}\n    route: {host: blog.test}\n"


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)


def names(orchestrator: Orchestrator) -> list[str]:
    return [context.name for context in orchestrator.apps.all()]


def reload(orchestrator: Orchestrator, text: str) -> list[str]:
    """Save this, let the orchestrator read it, and give the kinds of events that this told."""
    orchestrator.settings.config.write_text(text)

    async def run() -> None:
        await orchestrator.reload_config()
        await orchestrator.supervisor.stop()

    asyncio.run(run())
    return [event.kind for event in orchestrator.journal.events()]


def test_the_panel_and_the_configured_apps_have_a_context_and_a_route(orchestrator: Orchestrator) -> None:
    assert names(orchestrator) == ["panel", "shop"]
    assert orchestrator.proxy.route("shop").hosts == ("shop.test",)
    with pytest.raises(UnknownApp, match="No app 'blog' is configured"):
        orchestrator.apps.get("blog")


def test_a_changed_configuration_is_taken_and_told(orchestrator: Orchestrator) -> None:
    kinds = reload(orchestrator, SHOP + BLOG)

    assert names(orchestrator) == ["panel", "shop", "blog"]
    assert orchestrator.proxy.route("blog").hosts == ("blog.test",)
    assert EventKind.CONFIG_LOADED in kinds


def test_a_wrong_configuration_is_refused_and_everything_stays_as_it_was(orchestrator: Orchestrator) -> None:
    before = orchestrator.apps.get("shop")

    kinds = reload(orchestrator, SHOP.replace("route", "rout"))

    assert orchestrator.apps.get("shop") is before
    assert "did you mean 'route'?" in orchestrator.config_file.problem.lower()
    assert kinds == [EventKind.CONFIG_REFUSED]


def test_a_file_that_is_right_again_clears_the_problem_and_changes_nothing(orchestrator: Orchestrator) -> None:
    reload(orchestrator, "apps: [")
    before = orchestrator.apps.get("shop")

    kinds = reload(orchestrator, SHOP + "# a comment\n")

    assert orchestrator.config_file.problem == ""
    assert orchestrator.apps.get("shop") is before
    assert EventKind.CONFIG_LOADED not in kinds


def test_who_has_an_apps_data_in_hand_still_has_it_when_the_configuration_changes(orchestrator: Orchestrator) -> None:
    turn = orchestrator.apps.get("shop").data_turn

    reload(orchestrator, SHOP.replace("shop.test", "another.test"))

    assert orchestrator.apps.get("shop").config.route.first_host == "another.test"
    assert orchestrator.apps.get("shop").data_turn is turn


def test_a_key_without_effect_loads_with_a_notice(orchestrator: Orchestrator) -> None:
    reload(orchestrator, SHOP + "hot_reload: {enabled: true}\n")

    assert orchestrator.config_file.problem == ""
    assert "hot_reload" in str(orchestrator.config_file.in_use.notices[0])


def test_without_any_valid_configuration_the_start_waits_for_one_and_the_proxy_is_left_alone(
    orchestrator: Orchestrator, tmp_path: Path
) -> None:
    (tmp_path / "last-valid-config.yaml").unlink()
    orchestrator.settings.config.write_text("updte: {}\n")
    again = Orchestrator(orchestrator.settings, engine=orchestrator.engine, proxy=orchestrator.proxy)
    again.load()
    assert "control-panel-config.yaml:1: updte" in again.config_file.problem
    proxy = again.proxy
    assert isinstance(proxy, FakeProxy)

    async def story() -> None:
        await again.start()
        await asyncio.sleep(0.3)
        assert not again.ready
        assert proxy.configured == 0
        again.settings.config.write_text(SHOP)
        await until(lambda: again.ready)
        await again.stop()

    asyncio.run(story())
    assert names(again) == ["panel", "shop"]
    assert again.config_file.problem == ""


def test_a_wrong_configuration_at_the_start_leaves_the_last_valid_one_in_use_and_says_so(
    orchestrator: Orchestrator, tmp_path: Path
) -> None:
    orchestrator.settings.config.write_text("<<<<<<< ours\napps: {}\n")
    again = Orchestrator(orchestrator.settings, engine=orchestrator.engine, proxy=orchestrator.proxy)

    again.load()

    assert names(again) == ["panel", "shop"]
    assert "control-panel-config.yaml:1: the file has marks of a merge conflict" in again.config_file.problem
    assert again.config_file.problem_since is not None


@pytest.mark.parametrize("text", ["", "\n\n", None])
def test_a_file_that_is_emptied_or_vanishes_for_a_moment_takes_no_app_away(
    orchestrator: Orchestrator, text: str | None
) -> None:
    if text is None:
        orchestrator.settings.config.unlink()
        asyncio.run(orchestrator.reload_config())
    else:
        reload(orchestrator, text)

    assert names(orchestrator) == ["panel", "shop"]
    assert "To use the defaults for everything, write: apps: {}" in orchestrator.config_file.problem


def test_a_configuration_whose_routes_the_proxy_does_not_take_is_not_in_use(orchestrator: Orchestrator) -> None:
    proxy = orchestrator.proxy
    assert isinstance(proxy, FakeProxy)
    proxy.refuses_configuration = True
    before = orchestrator.apps.get("shop")

    kinds = reload(orchestrator, SHOP + BLOG)

    assert names(orchestrator) == ["panel", "shop"]
    assert orchestrator.apps.get("shop") is before
    assert "does not answer" in orchestrator.config_file.problem
    assert kinds == [EventKind.CONFIG_REFUSED]
    proxy.refuses_configuration = False
    reload(orchestrator, SHOP + BLOG)
    assert names(orchestrator) == ["panel", "shop", "blog"]
    assert orchestrator.config_file.problem == ""


def test_a_proxy_that_may_have_taken_a_part_is_told_again_when_the_file_is_as_before(
    orchestrator: Orchestrator,
) -> None:
    """It refused in the middle: the configuration in use was the one of before, the routes were half of the new one."""
    proxy = orchestrator.proxy
    assert isinstance(proxy, FakeProxy)
    proxy.refuses_configuration = True
    reload(orchestrator, SHOP.replace("shop.test", "another.test"))
    proxy.refuses_configuration = False

    reload(orchestrator, SHOP)
    assert proxy.configured == 1
    assert proxy.route("shop").hosts == ("shop.test",)
    reload(orchestrator, SHOP)
    assert proxy.configured == 1, "once it has taken all of it, it is left alone"


def test_an_app_for_which_nothing_changes_keeps_its_context_when_another_is_added(orchestrator: Orchestrator) -> None:
    before = orchestrator.apps.get("shop")

    reload(orchestrator, SHOP + BLOG)

    assert orchestrator.apps.get("shop") is before


class BusyScheduler(Scheduler):
    """One for which something is under way for the shop."""

    is_busy = True

    def doing(self, app: str) -> str:
        return "deployment d1 is running" if app == "shop" and self.is_busy else ""


def test_an_app_for_which_something_is_under_way_is_removed_when_that_has_ended(orchestrator: Orchestrator) -> None:
    busy = BusyScheduler(orchestrator.journal, orchestrator.events, orchestrator.apps.get)
    orchestrator.scheduler = busy

    kinds = reload(orchestrator, "apps: {}\n")

    assert names(orchestrator) == ["panel", "shop"]
    assert "shop (deployment d1 is running)" in orchestrator.config_file.problem
    assert orchestrator.config_file.waits
    assert orchestrator.config_file.remedy.startswith("Nothing to do: it is used by itself when that has ended.")
    assert kinds == [EventKind.CONFIG_REFUSED]
    busy.is_busy = False
    reload(orchestrator, "apps: {}\n")
    assert names(orchestrator) == ["panel"]
    assert orchestrator.config_file.problem == ""


def test_a_file_that_the_proxy_did_not_take_is_read_again_by_itself_and_told_once(
    orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "LOOK_EVERY_MS", 20)
    proxy = orchestrator.proxy
    assert isinstance(proxy, FakeProxy)
    proxy.refuses_configuration = True

    async def story() -> None:
        following = asyncio.create_task(orchestrator._follow_config())
        orchestrator.settings.config.write_text(SHOP + BLOG)
        await until(lambda: orchestrator.config_file.problem != "")
        await asyncio.sleep(0.2)
        proxy.refuses_configuration = False
        await until(lambda: orchestrator.config_file.problem == "")
        following.cancel()
        await orchestrator.supervisor.stop()

    asyncio.run(story())
    assert names(orchestrator) == ["panel", "shop", "blog"]
    kinds = [event.kind for event in orchestrator.journal.events()]
    assert kinds.count(EventKind.CONFIG_REFUSED) == 1


def test_a_file_in_a_folder_that_is_made_later_is_found(
    orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "LOOK_EVERY_MS", 20)
    orchestrator.config_file.path = orchestrator.settings.config.parent / "later" / "control-panel-config.yaml"

    async def story() -> None:
        following = asyncio.create_task(orchestrator._follow_config())
        await until(lambda: "does not exist" in orchestrator.config_file.problem)
        orchestrator.config_file.path.parent.mkdir()
        orchestrator.config_file.path.write_text(SHOP + BLOG)
        await until(lambda: orchestrator.config_file.problem == "")
        following.cancel()
        await orchestrator.supervisor.stop()

    asyncio.run(story())
    assert names(orchestrator) == ["panel", "shop", "blog"]


def test_a_defect_while_a_configuration_is_taken_leaves_the_one_before(
    orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_routes: object, **_: object) -> bool:
        raise KeyError("a defect")

    monkeypatch.setattr(orchestrator.proxy, "configure", fails)

    kinds = reload(orchestrator, SHOP + BLOG)

    assert names(orchestrator) == ["panel", "shop"]
    assert "Unexpected KeyError" in orchestrator.config_file.problem
    assert orchestrator.config_file.remedy == "Report this defect in Changeover. It is tried again by itself."
    assert kinds == [EventKind.CONFIG_REFUSED]


@pytest.mark.parametrize("change", ["disk: {keep_images: 9}\n", BLOG, "proxy: {spare_backends: 3}\n"])
def test_an_app_whose_section_did_not_change_keeps_its_source_and_its_locks(
    orchestrator: Orchestrator, change: str
) -> None:
    before = orchestrator.apps.get("shop")

    reload(orchestrator, SHOP + change)

    after = orchestrator.apps.get("shop")
    assert after.source is before.source
    assert after.data_turn is before.data_turn
    assert after.limits.keep_images == (9 if "keep_images" in change else before.limits.keep_images)


def test_a_source_that_replaces_another_one_of_the_app_takes_turns_with_it(orchestrator: Orchestrator) -> None:
    """Both write to the same mirror, and the former one may be in the middle of a fetch."""
    before = orchestrator.apps.get("shop")

    reload(orchestrator, SHOP.replace("/srv/shop", "/srv/another"))

    after = orchestrator.apps.get("shop")
    assert isinstance(before.source, GitRepository)
    assert isinstance(after.source, GitRepository)
    assert after.source is not before.source
    assert after.source._mirror.lock is before.source._mirror.lock


def test_a_second_pass_of_a_start_that_failed_leaves_the_routes_to_what_began_meanwhile(
    orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = orchestrator.proxy
    assert isinstance(proxy, FakeProxy)
    go_on = orchestrator.recovery.go_on
    passes: list[int] = []

    async def fails_once() -> None:
        passes.append(proxy.configured)
        if len(passes) == 1:
            # As the queue does that an app goes on with before the proxy fails for another one.
            orchestrator.journal.add(Deployment("d1", "shop", Kind.DEPLOY, State.RUNNING, "test", now()))
            raise ProxyError("The proxy does not answer.", "Start it.")
        await go_on()

    monkeypatch.setattr(orchestrator.recovery, "go_on", fails_once)

    async def story() -> None:
        await orchestrator.start()
        await until(lambda: orchestrator.ready)
        await orchestrator.stop()

    asyncio.run(story())
    assert passes == [1, 1]
