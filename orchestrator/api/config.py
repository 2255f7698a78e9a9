"""/v1/config: the configuration file that was read last, and the check of a configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from orchestrator.access.caller import Caller
from orchestrator.api.access import Reader, ReaderOfSome, Serving
from orchestrator.api.values import ConfigurationText, FileName
from orchestrator.config.local_repository import is_path
from orchestrator.config.preflight import notify_files, preflight, read_files
from orchestrator.config.schema import Config
from orchestrator.doctor.removed_apps import notices_of_removal
from orchestrator.errors import ConfigError
from orchestrator.host.fair_turns import FairTurns
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/config")

AT_ONCE = (2, 1)
"""So many configurations are checked at the same time, in total and for one token: a large one takes a processor for
seconds, and a thread that others need."""


NOT_LOOKED_FOR = (
    "files and paths of repositories that are none of this token's apps were not looked for: that needs a token for "
    "all apps"
)


class ConfigText(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: ConfigurationText
    name: FileName = "control-panel-config.yaml"


class ConfigView(BaseModel):
    """The file that was read last: its SHA-256, why it was refused if it was, and which keys have no effect yet."""

    digest: str
    problems: list[str]
    notices: list[str]


class ConfigProblems(BaseModel):
    """Why a configuration would be refused or cannot work; otherwise, which of its keys have no effect yet, and which
    live apps it does not have."""

    problems: list[str]
    notices: list[str] = []


@router.get("")
async def config(orchestrator: Serving, _who: Reader) -> ConfigView:
    file = orchestrator.config_file
    notices = [str(notice) for notice in file.in_use.notices]
    return ConfigView(digest=file.digest, problems=file.problem.splitlines(), notices=notices)


@router.post("/validate")
async def validate(wanted: ConfigText, request: Request, orchestrator: Serving, who: ReaderOfSome) -> ConfigProblems:
    """Check a configuration without using it, and whether what it names is there."""
    turns: FairTurns = request.app.state.validations
    async with turns.turn_of(who.name):
        return await _checked(wanted, orchestrator, who)


def _names_others(config: Config, only: Collection[str]) -> bool:
    """Whether the configuration names a file that is none of these, or a repository by its path."""
    files = {file for app in config.all_apps().values() for _key, file in read_files(app)}
    files |= {file for _key, file in notify_files(config)}
    return not files <= set(only) or any(is_path(app.update.git.remote) for app in config.apps.values())


async def _checked(wanted: ConfigText, orchestrator: Orchestrator, who: Caller) -> ConfigProblems:
    try:
        # In a thread: a large file takes seconds to read.
        loaded = await to_its_end(asyncio.to_thread(orchestrator.config_file.check, wanted.text, wanted.name))
    except ConfigError as error:
        return ConfigProblems(problems=[str(problem) for problem in error.problems])
    shown = {context.name: context.config for context in orchestrator.apps.all() if who.sees(context.name)}
    notices = [str(notice) for notice in loaded.notices]
    only = None
    if who.apps is not None:
        # The others' repositories and files with secrets are there, too: it is told of its own, as by `status`.
        only = {file for app in shown.values() for _key, file in read_files(app)}
        only |= {one.url_file for app in shown.values() for one in app.notify}
        notices += [NOT_LOOKED_FOR] if _names_others(loaded.config, only) else []
    problems = await preflight(loaded.config, orchestrator.settings.config.parent, only)
    live = await orchestrator.journal.beside(orchestrator.journal.apps_with_traffic)
    notices += notices_of_removal(loaded.config, shown, live)
    return ConfigProblems(problems=problems, notices=notices)
