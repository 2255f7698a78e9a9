"""The files beside the configuration file that an app names and that are read: tokens, passwords, keys.

Which keys name one is said where they are declared (`ReadFile` in config/section.py). Everything else follows from
that: the file is looked at, its content is never shown, and git must not commit it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic.fields import FieldInfo

from orchestrator.config.app_schema import App
from orchestrator.config.file_contents import why_of_no_use
from orchestrator.config.secret_file import SecretUnreadable, read_secret
from orchestrator.config.section import ReadFile, Section
from orchestrator.errors import StepFailed

SOURCES = ("git", "pypi", "url", "registry")


@dataclass(frozen=True)
class NamedFile:
    """`key`: relative to the app's section. `is_in_use`: whether it is read as the app is configured; one of a source
    that is not followed is not. `of_source`: whether checks and deployments need it."""

    key: str
    file: str
    read: ReadFile
    is_in_use: bool
    of_source: bool

    @property
    def is_secret(self) -> bool:
        return self.read.is_secret


def named_files(app: App) -> list[NamedFile]:
    """In the order of the configuration's sections."""
    return list(_named(app, (), app.update.source))


def _named(section: Section, path: tuple[str, ...], source: str) -> Iterator[NamedFile]:
    for name, read in _keys(type(section)):
        value = getattr(section, name)
        here = (*path, name)
        if isinstance(value, Section):
            yield from _named(value, here, source)
        elif read and value:
            is_in_use = here[-2] not in SOURCES or here[-2] == source
            yield NamedFile(".".join(here), value, read, is_in_use, here[0] == "update")


@cache
def _keys(section: type[Section]) -> list[tuple[str, ReadFile | None]]:
    return [(name, read_file(field)) for name, field in section.model_fields.items()]


def read_file(field: FieldInfo) -> ReadFile | None:
    """How the file that a key names is read; None for a key that names none."""
    return next((found for found in field.metadata if isinstance(found, ReadFile)), None)


def why_not_used(named: NamedFile, app: App, folder: Path) -> str:
    """Why a file is of no use: it is missing, empty, too large, no regular file, no text, too short for a secret, out
    of the folder, or has something else in it than it is for; empty if it can be used. `folder` is the configuration
    file's."""
    try:
        return why_of_no_use(named.key, _read(named, folder), named.file, app, folder)
    except SecretUnreadable as error:
        return str(error)


def _read(named: NamedFile, folder: Path) -> str:
    """Raises SecretUnreadable, also for a private key in the place of a public one."""
    content = read_secret(folder, named.file, is_secret=named.is_secret, at_least=named.read.at_least)
    if not named.is_secret and "PRIVATE KEY" in content:
        raise SecretUnreadable(
            f"{named.file} is a private key, which signs: name the public one, and keep that one elsewhere."
        )
    return content


def refuse_unread(app: App, folder: Path) -> None:
    """Raises StepFailed, with the key, if a file that the app's source needs cannot be read: also one that is needed
    only by a deployment, which a check would pass without a word."""
    for named in named_files(app):
        if named.of_source and named.is_in_use:
            try:
                _read(named, folder)
            except SecretUnreadable as error:
                raise StepFailed(f"{named.key}: {error.cause}", error.remedy) from error
