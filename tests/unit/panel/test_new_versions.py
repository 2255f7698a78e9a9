"""Of each new version a session is told once: by a notice at its start, later by a toast."""

from __future__ import annotations

from typing import Any

import pytest

from panel.client.events import Event, UpdateFound
from panel.client.model import App
from panel.new_versions import News, NewVersions
from panel.screens.confirm import ConfirmScreen
from panel.screens.dashboard import DashboardScreen
from panel.screens.details import DetailsScreen
from panel.screens.startup import StartupScreen
from tests.support import api_answers as answers
from tests.support.screen import shown
from tests.unit.panel.test_update_journey import Orchestrator, panel_of, until

EVERY = ["start", "background", "asked"]


def app(version: str = "", name: str = "shop", notify_of: list[str] | None = None) -> dict[str, Any]:
    update = answers.update(version) if version else None
    return answers.app(name, update=update, notify_of=EVERY if notify_of is None else notify_of)


def apps(*them: dict[str, Any]) -> tuple[App, ...]:
    return tuple(map(App.model_validate, them))


def names(news: News) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return (
        news.notice.name if news.notice else "",
        tuple(one.name for one in news.also),
        tuple(one.name for one in news.toasts),
    )


def found(version: str, by: str = "background") -> UpdateFound:
    return UpdateFound(version=version, found_by=by)


def test_the_panels_own_update_stands_first_in_the_notice() -> None:
    news = NewVersions("panel").tell(apps(app("v2"), app(name="till"), app("v1.3.0", "panel"), app("v9", "bar")))

    assert names(news) == ("panel", ("shop", "bar"), ())


def test_what_the_notice_told_is_told_no_more() -> None:
    told = NewVersions("panel")
    told.tell(apps(app("v2")))
    told.take("shop", found("v2"))

    assert told.tell(apps(app("v2"))) == News()


def test_a_version_that_a_check_finds_is_told_once_by_a_toast() -> None:
    told = NewVersions("panel")
    told.tell(apps(app()))
    told.take("shop", found("v2"))

    assert told.tell(apps(app())) == News(), "the answer was on its way before the check"
    assert names(told.tell(apps(app("v2")))) == ("", (), ("shop",))
    assert told.tell(apps(app("v2"))) == News()
    told.take("shop", found("v3"))
    assert names(told.tell(apps(app("v3")))) == ("", (), ("shop",))


@pytest.mark.parametrize(
    ("notify_of", "by", "is_told"),
    [
        (EVERY, "background", True),
        (["start", "asked"], "background", False),  # background_check.notify: false
        (["start", "asked"], "asked", True),
        ([], "asked", False),  # notify_on_update: false
    ],
)
def test_the_configuration_says_which_checks_are_told_of(notify_of: list[str], by: str, is_told: bool) -> None:
    told = NewVersions("panel")
    told.tell(apps(app()))
    told.take("shop", found("v2", by))

    assert bool(told.tell(apps(app("v2", notify_of=notify_of))).toasts) is is_told
    assert bool(NewVersions("panel").tell(apps(app("v2", notify_of=notify_of))).notice) is bool(notify_of)


def test_what_is_shown_again_after_it_was_dismissed_is_not_new() -> None:
    told = NewVersions("panel")
    told.tell(apps(app()))

    assert told.tell(apps(app("v2"))) == News()


def test_a_session_that_goes_on_has_no_notice_and_a_toast_for_what_came_meanwhile() -> None:
    told = NewVersions("panel")
    told.resume({"shop": "v2"})
    told.take("shop", found("v2"))
    told.take("till", found("v5"))

    assert names(told.tell(apps(app("v2"), app("v5", "till")))) == ("", (), ("till",))


@pytest.mark.parametrize(
    ("key", "leads_to"),
    [("u", ConfirmScreen), ("d", DetailsScreen), ("enter", DashboardScreen), ("escape", DashboardScreen)],
)
async def test_the_notice_leads_to_the_update_of_its_app(key: str, leads_to: type) -> None:
    client = Orchestrator(answers.app("bar"), app("v2", "panel"))
    async with panel_of(client) as (panel, pilot):
        await until(pilot, lambda: isinstance(panel.screen, StartupScreen))
        picture = shown(pilot)
        assert "Update available: panel v2" in picture
        assert [one.strip("║ ") for one in picture.splitlines() if "•" in one] == [
            "• Breaking: the price is in cents",
            "• New: a cart that survives a restart",
            "• Fix: count every order once",
        ]
        await pilot.press(key)
        await until(pilot, lambda: isinstance(panel.screen, leads_to))
        assert panel._dashboard.selected == ("panel" if key in "ud" else "bar")


async def test_any_other_key_skips_the_notice_and_does_what_it_does_on_the_dashboard() -> None:
    bar = answers.app("bar", standby=answers.slot("v0.9.0", "green"))
    async with panel_of(Orchestrator(bar, app("v2", "panel"))) as (panel, pilot):
        await until(pilot, lambda: isinstance(panel.screen, StartupScreen))
        await pilot.press("b")
        await until(pilot, lambda: "Roll bar back?" in shown(pilot))


async def test_a_toast_takes_no_focus() -> None:
    client = Orchestrator(app())
    async with panel_of(client) as (panel, pilot):
        before = panel.focused
        client.apps_now = [app("v2")]
        panel._take(event("update", version="v2", found_by="background"))
        await until(pilot, lambda: "Update available: shop v2" in shown(pilot))
        assert panel.focused is before
        assert [one.timeout for one in panel._notifications] == [10]
        await pilot.press("u")
        await until(pilot, lambda: isinstance(panel.screen, ConfirmScreen))


def event(kind: str, **fields: Any) -> Event:
    return Event.model_validate(answers.Events().add(kind, **fields).all[0])
