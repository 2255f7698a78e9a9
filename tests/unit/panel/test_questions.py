"""Nothing that cannot be taken back is done without a question, whose answer is No unless the person presses Y."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from panel.app import PanelApp
from panel.client.client import Client
from panel.screens.progress import ProgressScreen
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

CANCEL, ROLL_BACK = ("POST", "/v1/deployments/d42/cancel"), ("POST", "/v1/apps/shop/rollback")

VERSIONS = "/v1/apps/shop/update/versions"


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come to that")


@pytest.mark.parametrize(("answer", "times"), [("y", 1), ("n", 0), ("enter", 0), ("escape", 0)])
@pytest.mark.parametrize(("key", "request_"), [("escape", CANCEL), ("b", ROLL_BACK)])
async def test_a_cancel_and_a_rollback_ask_first(key: str, request_: tuple[str, str], answer: str, times: int) -> None:
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [answers.app(standby=answers.slot("v0.9.0", "green"))]})
        api.gives(*CANCEL, answers.deployment("d42", "running"))
        api.gives(*ROLL_BACK, answers.deployment(kind="rollback"))
        panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
        async with panel.run_test() as pilot:
            await until(lambda: bool(api.requests("GET", "/v1/apps")))
            if request_ == CANCEL:
                await panel.push_screen(ProgressScreen(panel.client, "shop", "d42", panel.clock))
            await pilot.press(key)
            await until(lambda: type(panel.screen).__name__ == "QuestionScreen")
            before = len(api.requests(*request_))
            await pilot.press(answer)
            await until(lambda: type(panel.screen).__name__ != "QuestionScreen")
            if times:
                await until(lambda: bool(api.requests(*request_)))
            await pilot.pause()

        assert before == 0
        assert len(api.requests(*request_)) == times


@pytest.mark.parametrize(("keys", "kind"), [(("b",), "rollback"), (("v", "enter"), "deploy"), (("u",), "deploy")])
async def test_each_question_before_the_traffic_moves_says_what_it_costs(keys: tuple[str, ...], kind: str) -> None:
    says = "v1.0.0 on blue has in hand now: 1 WebSocket [of 3]."
    known = answers.app(update=None, standby=answers.slot("v0.9.0", "green"), configuration_changed=True)
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [known]})
        api.gives("GET", "/v1/apps/shop", known)
        api.gives("GET", VERSIONS, {"versions": [{"version": "v2", "ref": "v2"}]})
        api.gives("POST", "/v1/apps/shop/update/check", None)
        api.gives("GET", "/v1/apps/shop/plan", {"app": "shop", "kind": kind, "steps": [], "cost": [says]})
        panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
        async with panel.run_test(size=(120, 40)) as pilot:
            await until(lambda: bool(api.requests("GET", "/v1/apps")))
            await pilot.press(keys[0])
            for key in keys[1:]:
                await until(lambda: bool(api.requests("GET", VERSIONS)))
                await pilot.pause()
                await pilot.press(key)
            await until(lambda: type(panel.screen).__name__ == "QuestionScreen")
            await until(lambda: says in shown(pilot))

        assert [one.query for one in api.requests("GET", "/v1/apps/shop/plan")] == [{"kind": kind}]


async def test_without_a_standby_nothing_is_asked_and_nobody_goes_back() -> None:
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [answers.app(standby=None)]})
        panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
        async with panel.run_test() as pilot:
            await until(lambda: bool(api.requests("GET", "/v1/apps")))
            await pilot.press("b")
            await until(lambda: any("no standby release" in one.message for one in panel._notifications))

        assert api.requests(*ROLL_BACK) == []


async def test_what_a_deployment_waits_for_is_shown_as_it_is() -> None:
    says = "1 request [/ at shop, 50% [ON]"
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [answers.app()]})
        api.events.extend(answers.Events().add("waiting", "d42", cause=says).all)
        panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
        async with panel.run_test(size=(120, 40)) as pilot:
            await panel.push_screen(ProgressScreen(panel.client, "shop", "d42", panel.clock))
            await until(lambda: f"Waits: {says}" in shown(pilot))


DEPLOY = ("POST", "/v1/apps/shop/deployments")


@pytest.mark.parametrize(("answer", "times"), [("y", 1), ("n", 0), ("enter", 0)])
async def test_u_offers_to_deploy_a_changed_configuration(answer: str, times: int) -> None:
    with FakeApi() as api:
        app = answers.app(update=None, configuration_changed=True)
        api.gives("GET", "/v1/apps", {"apps": [app]})
        api.gives("GET", "/v1/apps/shop", app)
        api.gives("POST", "/v1/apps/shop/update/check", None)
        api.gives(*DEPLOY, answers.deployment("d42", "queued"))
        panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
        async with panel.run_test() as pilot:
            await until(lambda: bool(api.requests("GET", "/v1/apps")))
            await pilot.press("u")
            await until(lambda: type(panel.screen).__name__ == "QuestionScreen")
            await pilot.press(answer)
            await until(lambda: type(panel.screen).__name__ != "QuestionScreen")
            if times:
                await until(lambda: bool(api.requests(*DEPLOY)))
            await pilot.pause()

        asked = [one.body for one in api.requests(*DEPLOY)]
        assert [body["ref"] for body in asked] == [answers.slot()["revision"]] * times
