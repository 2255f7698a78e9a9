"""/v1/apps/{app}/backups/{backup}/configuration: the app's section in the file of that time, shown and put back."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ParamSpec, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.api.access import Admin, Serving
from orchestrator.api.backups import Part
from orchestrator.api.kept_backups import context_with
from orchestrator.api.values import App, BackupId
from orchestrator.app_data import backups
from orchestrator.config import app_section, loader
from orchestrator.config.durable_text import rewrite
from orchestrator.config.secret_values import secret_values
from orchestrator.errors import ConfigError, Refused
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.server import Orchestrator

P = ParamSpec("P")
T = TypeVar("T")
router = APIRouter(prefix="/apps/{app}/backups/{backup}/configuration")


class ConfigurationDifference(BaseModel):
    """`lines` are a unified difference of the app's section, from the file as it is to that of the backup; empty if
    they are the same. `refused` says why the section cannot be put back. `digest` is that of the file that was read."""

    lines: list[str]
    refused: str
    digest: str


class PutBackRequest(BaseModel):
    """`digest`: of the file for which the difference was shown."""

    model_config = ConfigDict(extra="forbid")
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class PutBack(BaseModel):
    """`digest` is that of the file as it is now; GET /v1/config has it when the file was read."""

    digest: str


@dataclass(frozen=True)
class _Texts:
    current: str
    archived: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.current.encode()).hexdigest()


@router.get("")
async def difference(app: App, backup: BackupId, orchestrator: Serving, who: Admin) -> ConfigurationDifference:
    """The file is that of all apps, so this needs a token for all apps."""
    who.require_all_apps()
    texts = await _texts(orchestrator, app, backup)
    name = orchestrator.settings.config.name
    try:
        merged = await _beside(app_section.put_back, texts.current, texts.archived, app, name)
    except Refused as error:
        return ConfigurationDifference(lines=[], refused=str(error), digest=texts.digest)
    lines = await _beside(app_section.difference, texts.current, texts.archived, app) if merged != texts.current else []
    return ConfigurationDifference(lines=lines, refused="", digest=texts.digest)


@router.post("")
async def put_back(
    app: App, backup: BackupId, orchestrator: Serving, who: Admin, wanted: PutBackRequest | None = None
) -> PutBack:
    """Put the app's section of that time back into the file, which is then read as after any other change."""
    who.require_all_apps()
    texts = await _texts(orchestrator, app, backup)
    if wanted is None or texts.digest != wanted.digest:
        raise _changed(orchestrator)
    path = orchestrator.settings.config
    merged = await _beside(app_section.put_back, texts.current, texts.archived, app, path.name)
    if not await _beside(rewrite, path, merged, texts.current):
        raise _changed(orchestrator)
    return PutBack(digest=hashlib.sha256(merged.encode()).hexdigest())


async def _texts(orchestrator: Orchestrator, app: str, backup: str) -> _Texts:
    """Raises UnknownApp, UnknownBackup, StepFailed, or Refused without a file in the backup or on the disk."""
    path = orchestrator.settings.config
    async with orchestrator.sidecars_of_readers.turn_of(app):
        found = await backups.extract(await context_with(orchestrator, app, backup), backup, Part.CONFIG)
    if not found:
        raise Refused(f"Backup {backup} has no configuration file.", "Choose another backup.")
    archived = found.get(path.name) or next(iter(found.values()))
    try:
        content = await _beside(loader.content_of, path)
        current = loader.text_of(content or b"", path.name)
    except ConfigError as error:
        raise Refused(f"The configuration file is not valid: {error.cause}", "Correct it first.") from error
    await _know_secrets(orchestrator, archived)
    return _Texts(current, archived)


async def _know_secrets(orchestrator: Orchestrator, archived: str) -> None:
    """The file of that time may have secrets that the one of today has not: they are not shown either."""
    path = orchestrator.settings.config
    try:
        loaded = await _beside(loader.parse, archived, path.name)
    except ConfigError:
        return  # nothing of it is shown: it is refused
    orchestrator.known_secrets.know(secret_values(loaded.config, path.parent))


def _changed(orchestrator: Orchestrator) -> Refused:
    return Refused(
        f"{orchestrator.settings.config.name} was changed since the difference was shown.", "Look at it, and ask again."
    )


async def _beside(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """In a thread: a large file takes seconds."""
    return await to_its_end(asyncio.to_thread(work, *arguments, **named))
