"""/v1/apps/{app}/configuration: the values in effect, where each comes from, and what was changed since."""

from __future__ import annotations

import asyncio
from enum import StrEnum

from fastapi import APIRouter, Request
from pydantic import BaseModel

from border.urls import HIDDEN
from orchestrator.access.caller import Caller
from orchestrator.api.access import Reader, Serving
from orchestrator.api.status import url_of
from orchestrator.api.values import App
from orchestrator.apps.context import AppContext
from orchestrator.apps.made_from import is_changed_since
from orchestrator.config.effective import effective, is_command, lines_of
from orchestrator.config.schema import PANEL
from orchestrator.doctor import problems
from orchestrator.domain.access import Scope
from orchestrator.host.fair_turns import FairTurns
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/apps/{app}/configuration")

OF_PANEL = ("update", "push")
"""The sections of the panel that the file has. All others are fixed."""


class Origin(StrEnum):
    FILE = "file"
    DEFAULT = "default"
    DERIVED = "derived"


class ValueView(BaseModel):
    """`value` is empty where none is set. What may be a secret is `[hidden]`, and so are commands for a token without
    scope admin. `origin`: `file`, with its `line`; `default`; or `derived` from other values. `before`: what the live
    release was deployed with, where that is another value; null where it is the same, or is not known."""

    key: str
    value: str
    origin: Origin
    line: int | None
    before: str | None


class NoticeView(BaseModel):
    line: int
    key: str
    says: str


class ConfigurationView(BaseModel):
    """`problems`: why the saved file is not in use, a line each. `notices`: keys of the app that do not do everything
    that one could expect. `deployed`: the live deployment, empty without one. `is_changed`: whether the configuration
    was changed since, of what takes effect by a deployment. `is_known`: whether it is known which values it had."""

    app: str
    file: str
    values: list[ValueView]
    problems: list[str]
    notices: list[NoticeView]
    deployed: str
    is_changed: bool
    is_known: bool


@router.get("")
async def show(app: App, request: Request, orchestrator: Serving, who: Reader) -> ConfigurationView:
    """The configuration in use. A token for all apps is told the problems of the file."""
    context = orchestrator.apps.get(app)
    turns: FairTurns = request.app.state.validations
    async with turns.turn_of(who.name):
        # In a thread: a large file takes seconds to read.
        lines = await to_its_end(asyncio.to_thread(lines_of, app, orchestrator.config_file.text))
    active = orchestrator.journal.slots(app).active
    before = await orchestrator.journal.beside(orchestrator.journal.deployed_values, active) if active else None
    shows_commands = who.scope is Scope.ADMIN
    values = [
        ValueView(
            key=key,
            value=value if shows_commands or not value or not is_command(key) else HIDDEN,
            origin=_origin(app, key, key in lines),
            line=lines.get(key),
            before=_before(key, value, before, shows_commands=shows_commands),
        )
        for key, value in effective(context.config).items()
    ]
    for key, given in (before or {}).items():
        if given and key not in {one.key for one in values}:
            was = given if shows_commands or not is_command(key) else HIDDEN
            values.append(ValueView(key=key, value="", origin=Origin.DEFAULT, line=None, before=was))
    values += [
        ValueView(key=key, value=value, origin=Origin.DERIVED, line=None, before=None)
        for key, value in _derived(orchestrator, context).items()
    ]
    return ConfigurationView(
        app=app,
        file=orchestrator.settings.config.name,
        values=values,
        problems=_problems(orchestrator, who),
        notices=_notices(orchestrator, app),
        deployed=active,
        is_changed=bool(active) and is_changed_since(context, orchestrator.journal.deployment(active)),
        is_known=before is not None,
    )


def _origin(app: str, key: str, is_written: bool) -> Origin:
    if is_written:
        return Origin.FILE
    fixed = app == PANEL and key.partition(".")[0] not in OF_PANEL
    return Origin.DERIVED if fixed else Origin.DEFAULT


def _before(key: str, value: str, before: dict[str, str] | None, *, shows_commands: bool) -> str | None:
    if before is None or (was := before.get(key, "")) == value:
        return None
    return was if shows_commands or not was or not is_command(key) else HIDDEN


def _derived(orchestrator: Orchestrator, context: AppContext) -> dict[str, str]:
    """What follows from other values, in words instead of keys."""
    found = {
        "address": url_of(orchestrator.settings.public_url, context.name, context.config.route),
        "image": context.image_name,
        "backups": context.backups,
    }
    return found | ({"data volume": context.volume} if context.config.run.data else {})


def _problems(orchestrator: Orchestrator, who: Caller) -> list[str]:
    """Of the whole file: a token for some apps is told only that it is not in use."""
    if who.apps is None:
        return orchestrator.config_file.problem.splitlines()
    says = problems.file_not_used(orchestrator, with_why=False)
    return [says] if says else []


def _notices(orchestrator: Orchestrator, app: str) -> list[NoticeView]:
    prefix = f"apps.{app}."
    return [
        NoticeView(line=one.line, key=one.key.removeprefix(prefix), says=one.says)
        for one in orchestrator.config_file.in_use.notices
        if (one.key.startswith(prefix) if app != PANEL else not one.key.startswith("apps."))
    ]
