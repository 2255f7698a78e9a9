"""No worker touches the widgets of a screen that is gone: at each `await`, its screen may be closed or the panel end.

Each worker of the panel is found in its source, and run to its end beside its screen's own workers, which Textual ends
with the screen: an answer that comes at the very moment in which the screen is closed is not stopped by that.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual_autocomplete._autocomplete import AutoCompleteList

from panel.app import PanelApp
from panel.client.access_model import AuditEntries, AuditEntry, Session
from panel.client.alert_model import Alerts, Mute
from panel.client.client import Client
from panel.client.errors import ClientError, NotSignedIn
from panel.client.events import Event
from panel.client.log_model import LogOrigins
from panel.client.model import App, Apps, Backup, Deployment, Deployments, Plan
from panel.client.notice_requests import NoticeTest
from panel.client.permission import Permission
from panel.client.traffic_model import AppTraffic, Traffic
from panel.client.update_model import Update
from panel.client.version_model import Version
from panel.screens.alerts import AlertsScreen
from panel.screens.audit import AuditScreen
from panel.screens.confirm import ConfirmScreen
from panel.screens.dashboard import DashboardScreen
from panel.screens.notices import NoticesScreen
from panel.screens.progress import ProgressScreen
from panel.screens.question import QuestionScreen, roll_back
from panel.screens.versions import VersionsScreen
from panel.screens.whole import is_whole
from panel.session.state import SessionState
from panel.session.turns import Turn
from panel.widgets.console.console import Console
from panel.widgets.console.transcript import Exchange
from panel.widgets.data.pane import DataPane
from panel.widgets.deployments.pane import DeploymentsPane
from panel.widgets.events.audit_table import AuditTable
from panel.widgets.logs.pane import LogsPane
from panel.widgets.overview.pane import OverviewPane
from panel.widgets.tabs.app_tabs import AppTabs
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.client import OneStream

pytestmark = pytest.mark.in_turn

PANEL = Path(inspect.getfile(PanelApp)).parent
SHOP = App.model_validate(answers.app(standby=answers.slot("v0.9.0", "green"), update=answers.update()))
VERSION = Version(version="v2", ref="v2")
WITHIN_S = 20.0
Ends = Literal["answer", "signed out"]


class Leaving(OneStream):
    """During each request, `leave` is called; then comes the answer, or the error."""

    def __init__(self, ends: Ends) -> None:
        super().__init__("http://127.0.0.1:1", "co_secret")
        self._ends = ends
        self.leave: Callable[[], Awaitable[None]] | None = None
        self.left_during: list[str] = []

    async def _while_left(self, what: str) -> None:
        if self.leave is None:
            return
        self.left_during.append(what)
        leave, self.leave = self.leave, None
        await leave()
        if self._ends != "answer":
            raise NotSignedIn("The token was revoked.")

    async def status(self) -> Apps:
        await self._while_left("status")
        return Apps(apps=(SHOP,))

    async def session(self, *, used: bool = False) -> Session:
        await self._while_left("session")
        return Session(token="ann", scope="admin")

    async def app(self, name: str) -> App:
        await self._while_left("app")
        return SHOP

    async def history(self, *_asked: Any, **_more: Any) -> Deployments:
        await self._while_left("history")
        return Deployments(deployments=())

    async def mute(self, app: str, hours: float | None = None) -> Mute:
        await self._while_left("mute")
        return Mute(app=app)

    async def pause(self, app: str, limit_s: float) -> None:
        await self._while_left("pause")

    async def resume(self, app: str) -> None:
        await self._while_left("resume")

    async def alerts(self, *_asked: Any, **_more: Any) -> Alerts:
        await self._while_left("alerts")
        return Alerts(alerts=(), before=None)

    async def log_origins(self, app: str) -> LogOrigins:
        await self._while_left("log_origins")
        return LogOrigins(logs=())

    async def backups(self, app: str) -> tuple[Backup, ...]:
        await self._while_left("backups")
        return ()

    async def traffic(self, seconds: int = 60) -> Traffic:
        await self._while_left("traffic")
        return Traffic()

    async def app_traffic(self, app: str, since: int | datetime = 600) -> AppTraffic:
        await self._while_left("app_traffic")
        return AppTraffic(app=app, step=1)

    async def plan(self, app: str, kind: str = "deploy") -> Plan:
        await self._while_left("plan")
        return Plan(app=app, kind=kind, steps=(), cost=("2 WebSockets are open.",))

    async def check(self, app: str, *, afresh: bool = False) -> Update | None:
        await self._while_left("check")
        return Update.model_validate(answers.update("v3", revision="3" * 40))

    async def deploy(self, *_asked: Any, **_more: Any) -> Deployment:
        await self._while_left("deploy")
        return Deployment.model_validate(answers.deployment())

    async def rollback(self, *_asked: Any, **_more: Any) -> Deployment:
        await self._while_left("rollback")
        return Deployment.model_validate(answers.failed(kind="rollback"))

    async def cancel(self, deployment: str) -> Deployment:
        await self._while_left("cancel")
        return Deployment.model_validate(answers.deployment())

    async def deployment(self, deployment: str) -> Deployment:
        await self._while_left("deployment")
        return Deployment.model_validate(answers.failed())

    async def dismiss(self, app: str, version: str = "") -> None:
        await self._while_left("dismiss")

    async def skip(self, app: str, version: str, *, undo: bool = False) -> None:
        await self._while_left("skip")

    async def versions(self, app: str) -> tuple[Version, ...]:
        await self._while_left("versions")
        return (VERSION,)

    async def audit(self, *_asked: Any, **_more: Any) -> AuditEntries:
        await self._while_left("audit")
        return AuditEntries(entries=(AuditEntry.model_validate(ENTRY),))

    async def test_notices(self, app: str = "") -> NoticeTest:
        await self._while_left("test_notices")
        return NoticeTest(services=())

    async def events(
        self, after: int | None = None, deployment: str = "", recent: int = 0
    ) -> AsyncGenerator[Event, None]:
        await self._while_left("events")
        for event in answers.Events().add("failed", "d43", step="verify", cause="It ended.").all:
            yield Event.model_validate(event)
        await asyncio.Event().wait()


ENTRY = {
    "id": 1, "at": NOW.isoformat(), "who": "ann", "origin": "203.0.113.7", "action": "GET /v1/apps", "app": "",
    "status": 200, "outcome": "done", "reason": "",
}  # fmt: skip

Run = Callable[[PanelApp, Screen[Any]], Awaitable[None]]


def worker(name: str, *arguments: Any, **named: Any) -> Run:
    """The coroutine of a worker of the screen, as itself."""

    async def run(_app: PanelApp, screen: Screen[Any]) -> None:
        await inspect.unwrap(getattr(type(screen), name))(screen, *arguments, **named)

    return run


def of_app(name: str, *arguments: Any) -> Run:
    async def run(app: PanelApp, _screen: Screen[Any]) -> None:
        with suppress(TimeoutError):  # `_follow` has no end
            await asyncio.wait_for(inspect.unwrap(getattr(PanelApp, name))(app, *arguments), 0.1)

    return run


def of_console(name: str, *arguments: Any) -> Run:
    async def run(_app: PanelApp, screen: Screen[Any]) -> None:
        await inspect.unwrap(getattr(Console, name))(screen.query_one(Console), *arguments)

    return run


async def _console_answer(app: PanelApp, screen: Screen[Any]) -> None:
    await of_console("_answer", Exchange("roll back shop"))(app, screen)


async def _console_load(app: PanelApp, screen: Screen[Any]) -> None:
    class Slow:
        def load(self, person: str) -> tuple[Turn, ...]:
            return (Turn(id=1, turn=1, user_input="status"),)

        def begin(self, person: str, user_input: str, dashboard_state: dict[str, Any]) -> int:
            return 1

        def answer(self, turn: int, response: str) -> None:
            return None

    app.memory.turns = Slow()
    try:
        await of_console("_load")(app, screen)
    finally:
        app.memory.turns = None


async def _cancel(app: PanelApp, screen: Screen[Any]) -> None:
    assert isinstance(screen, ProgressScreen)
    await screen._cancel(app)


async def _once_loaded(app: PanelApp, screen: Screen[Any]) -> None:
    assert isinstance(screen, DashboardScreen)
    client = app.client
    assert isinstance(client, Leaving)
    screen._loaded.clear()
    done: list[App] = []
    waiting = asyncio.create_task(inspect.unwrap(DashboardScreen._once_loaded)(screen, done.append))
    with suppress(ClientError):
        await client.app("shop")
    screen._loaded.set()
    await waiting
    assert not done, "somebody who has gone to another screen pressed no key there"


async def _follow(_app: PanelApp, screen: Screen[Any]) -> None:
    assert isinstance(screen, ProgressScreen)
    screen._is_over, screen._after = False, 0  # what the screen has followed itself
    await inspect.unwrap(ProgressScreen._follow)(screen)


def _question(client: Client) -> Screen[Any]:
    assert SHOP.standby
    return roll_back("shop", SHOP.standby, SHOP.active, lambda: client.plan("shop", "rollback"))


async def _say_cost(app: PanelApp, screen: Screen[Any]) -> None:
    assert isinstance(screen, QuestionScreen)
    await inspect.unwrap(QuestionScreen._say_cost)(screen, lambda: app.client.plan("shop", "rollback"))


def of_pane(kind: type[DataPane] | type[LogsPane], name: str, *arguments: Any) -> Run:
    """A worker of a tab."""

    async def run(app: PanelApp, screen: Screen[Any]) -> None:
        pane = kind(app.client)
        await screen.query_one(AppTabs).mount(pane)
        with suppress(TimeoutError):  # a log that is followed has no end
            await asyncio.wait_for(inspect.unwrap(getattr(kind, name))(pane, *arguments), 0.1)
        if pane.is_attached:
            await pane.remove()

    return run


async def _carry_out(app: PanelApp, screen: Screen[Any]) -> None:
    pane = DataPane(app.client)
    await screen.query_one(AppTabs).mount(pane)

    async def change(name: str) -> str:
        return (await app.client.app(name)).name

    await pane._carry_out("shop", change, app)


async def _history(app: PanelApp, screen: Screen[Any]) -> None:
    pane = DeploymentsPane(app.client, lambda: NOW)
    await screen.query_one(AppTabs).mount(pane)
    await inspect.unwrap(DeploymentsPane._load)(pane, "shop")


async def _overview(app: PanelApp, screen: Screen[Any]) -> None:
    pane = OverviewPane(app.client)
    await screen.query_one(AppTabs).mount(pane)
    await inspect.unwrap(OverviewPane._load)(pane, "shop")


async def _audit(_app: PanelApp, screen: Screen[Any]) -> None:
    await inspect.unwrap(AuditTable._load)(screen.query_one(AuditTable))


async def _skip(app: PanelApp, screen: Screen[Any]) -> None:
    assert isinstance(screen, VersionsScreen)
    await screen._skip(VERSION, app)


ENDED = Deployment.model_validate(answers.failed())
ENDS_THE_PANEL = {
    *("reload._restart", "session_app._prepare_to_move", "session_app._show_when_restored"),
    *("session_app._restore_late", "terminal_app._begin_from_file"),
}
"""They move or begin the session, and have tests of their own. `toasts._tell_alert` asks nothing."""
GOES_ON = SessionState(release="v0", selected="shop", following_app="shop", deployment="d43")
Make = Callable[[Client], Screen[Any] | None]
DASHBOARD: Make = lambda _: None  # noqa: E731
RUNS: dict[str, tuple[Make, Run]] = {
    "app._restore": (DASHBOARD, of_app("_restore", GOES_ON)),
    "app._follow": (DASHBOARD, of_app("_follow")),
    "app._refresh": (DASHBOARD, of_app("_refresh")),
    "app_keys._once_loaded": (DASHBOARD, _once_loaded),
    "console._answer": (DASHBOARD, _console_answer),
    "console._learn": (DASHBOARD, of_console("_learn", "shop")),
    "console._load": (DASHBOARD, _console_load),
    "update_keys._ask_the_source": (DASHBOARD, worker("_ask_the_source", SHOP, afresh=False)),
    "app_keys._deploy": (DASHBOARD, worker("_deploy", "shop", "v2", "key")),
    "update_keys._dismiss": (DASHBOARD, worker("_dismiss", SHOP)),
    "deployment_keys._roll_back": (DASHBOARD, worker("_roll_back", "shop", "shop-green")),
    "interruption_keys._pause": (DASHBOARD, worker("_pause", "shop")),
    "interruption_keys._resume": (DASHBOARD, worker("_resume", "shop")),
    "interruption_keys._cancel": (DASHBOARD, worker("_cancel", "d43")),
    "confirm._ask": (
        lambda client: ConfirmScreen(client, SHOP, Update.model_validate(answers.update()), NOW),
        worker("_ask"),
    ),
    "question._say_cost": (_question, _say_cost),
    "versions._load": (lambda client: VersionsScreen(client, SHOP, lambda: NOW), worker("_load")),
    "versions._skip": (lambda client: VersionsScreen(client, SHOP, lambda: NOW), _skip),
    "deployment_screen._follow": (lambda client: ProgressScreen(client, "shop", "d43", lambda: NOW), _follow),
    "deployment_screen._learn_what_it_takes": (
        lambda client: ProgressScreen(client, "shop", "d43", lambda: NOW),
        worker("_learn_what_it_takes"),
    ),
    "progress._try_again": (
        lambda client: ProgressScreen(client, "shop", "d43", lambda: NOW),
        worker("_try_again", ENDED),
    ),
    "deployment_keys._show_progress": (DASHBOARD, worker("_show_progress", SHOP)),
    "alert_keys._mute": (DASHBOARD, worker("_mute", "shop", muted=True)),
    "alerts._load": (lambda client: AlertsScreen(client, lambda: NOW, "shop"), worker("_load")),
    "app_pane._ask_what_is_allowed": (DASHBOARD, of_pane(DataPane, "_ask_what_is_allowed")),
    "app_pane._load": (DASHBOARD, of_pane(DataPane, "_load", "shop")),
    "data.pane._carry_out": (DASHBOARD, _carry_out),
    "logs.pane._follow": (DASHBOARD, of_pane(LogsPane, "_follow")),
    "logs.pane._look_for_new": (DASHBOARD, of_pane(LogsPane, "_look_for_new")),
    "progress._cancel": (lambda client: ProgressScreen(client, "shop", "d43", lambda: NOW), _cancel),
    "app._ask_for_numbers": (DASHBOARD, of_app("_ask_for_numbers")),
    "deployments.pane._load": (DASHBOARD, _history),
    "overview.pane._load": (DASHBOARD, _overview),
    "audit_table._load": (lambda client: AuditScreen(client), _audit),
    "notices._test": (lambda client: NoticesScreen(client, "shop"), worker("_test")),
}


def workers() -> set[str]:
    """Each coroutine of the panel that is decorated as a worker, or given to `run_worker`."""
    found: set[str] = set()
    for file in PANEL.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.AsyncFunctionDef(decorator_list=decorators) if any(map(_is_work, decorators)):
                    found.add(f"{_name(file)}.{node.name}")
                case ast.Call(
                    func=ast.Attribute(attr="run_worker"), args=[ast.Call(func=ast.Attribute(attr=name)), *_]
                ):
                    found.add(f"{_name(file)}.{name}")
                case ast.Call(func=ast.Attribute(attr="run_worker")):
                    raise AssertionError(f"{file.name}:{node.lineno}: a worker that this test does not find")
    return found


def _name(file: Path) -> str:
    return f"{file.parent.name}.pane" if file.stem == "pane" else file.stem


def _is_work(decorator: ast.expr) -> bool:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(named, ast.Name) and named.id == "work"


def test_each_worker_is_tried() -> None:
    assert workers() == set(RUNS) | ENDS_THE_PANEL | {"toasts._tell_alert"}


@pytest.mark.parametrize("ends", ["answer", "signed out"])
async def test_a_worker_whose_screen_is_gone_ends_quietly(ends: Ends) -> None:
    client = Leaving(ends)
    app = PanelApp(client, clock=lambda: NOW)
    async with asyncio.timeout(WITHIN_S), app.run_test() as pilot:
        await until(pilot, lambda: bool(app._dashboard.selected))
        for name, (make, run) in RUNS.items():
            screen = await opened(pilot, app, make(client))

            async def leave(screen: Screen[Any] = screen) -> None:
                if screen is app._dashboard:
                    await app.push_screen(AuditScreen(client))
                while screen is not app._dashboard and screen in app.screen_stack:
                    await app.pop_screen()

            await left_during(client, leave, app, run(app, screen), name)
            assert not isinstance(app.screen, ConfirmScreen), f"{name} asks somebody who has gone"
            while app.screen is not app._dashboard:
                await app.pop_screen()


@pytest.mark.parametrize("name", sorted(RUNS))
@pytest.mark.parametrize("ends", ["answer", "signed out"])
async def test_a_worker_whose_panel_has_ended_ends_quietly(name: str, ends: Ends) -> None:
    make, run = RUNS[name]
    client = Leaving(ends)
    app = PanelApp(client, clock=lambda: NOW)
    async with asyncio.timeout(WITHIN_S), app.run_test() as pilot:
        await until(pilot, lambda: bool(app._dashboard.selected))
        screen = await opened(pilot, app, make(client))

        async def leave() -> None:
            app.exit()

        await left_during(client, leave, app, run(app, screen), name)


async def left_during(
    client: Leaving, leave: Callable[[], Awaitable[None]], app: PanelApp, running: Awaitable[None], name: str
) -> None:
    """Run a worker to its end; during its first request, `leave` is called."""
    client.leave, client.left_during = leave, []
    client.permission = Permission()  # which is asked for once
    with app._context():
        await running
    await asyncio.sleep(0)
    assert client.left_during, f"{name} has sent no request"
    assert app._exception is None, name


async def opened(pilot: Pilot[Any], app: PanelApp, screen: Screen[Any] | None) -> Screen[Any]:
    if screen is None:
        app._dashboard.action_console()
        await until(pilot, lambda: bool(app._dashboard.query(AutoCompleteList)))
        return app._dashboard
    await app.push_screen(screen)
    await until(pilot, lambda: is_whole(screen))
    return screen


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    while not holds():
        await pilot.pause(0.01)
    await pilot.pause()
