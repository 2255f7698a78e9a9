"""The secrets of a configuration: which of its values, and of the files that it names, are never kept or shown."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from border.secrets import may_be_secret
from border.urls import credentials_in
from orchestrator.config.app_schema import App
from orchestrator.config.env_file import EnvFileUnreadable, read_env_file
from orchestrator.config.index_login import passwords_of
from orchestrator.config.named_files import named_files
from orchestrator.config.notify_urls import secrets_of_urls
from orchestrator.config.schema import Config

MOST_OF_FILE = 64 * 1024
"""So many bytes of a secret's file are looked for in output."""


def secret_values(config: Config, folder: Path) -> set[str]:
    """Values of `run.env`, `run.env_file`, `build.args` and `build.secrets`, and credentials of all addresses.

    `folder` is the one that the configuration's paths are relative to. Files that cannot be read are left out: who
    needs them reports it.
    """
    values = {found for text in _texts(config.model_dump()) for found in _credentials(text)}
    for app in config.all_apps().values():
        for one in named_files(app):
            if one.key == "update.pypi.credentials_file":
                # A netrc file: its words are no secrets, such as the host.
                values |= passwords_of(folder, one.file)
            elif one.is_secret:
                values |= of_secret_file(folder / one.file)
    for notify in {one.url_file for name in config.all_apps() for one in config.told_of(name)}:
        values |= {found for line in of_secret_file(folder / notify) for found in secrets_of_urls(line)}
    for app in config.apps.values():
        values |= _variables(app.run.env) | _variables(app.build.args) | _of_env_file(app, folder)
        values |= {content for file in app.build.secrets.values() for content in of_secret_file(folder / file)}
    return values


def open_names(config: Config) -> set[str]:
    """What a configuration says to everybody: the names of its apps, and the hosts at which they are."""
    hosts = {host for app in config.all_apps().values() for host in app.route.all_hosts}
    return {*config.all_apps(), *hosts}


def _of_env_file(app: App, folder: Path) -> set[str]:
    if not app.run.env_file:
        return set()
    try:
        return secrets_of_file(read_env_file(folder / app.run.env_file))
    except EnvFileUnreadable:
        return set()


def of_secret_file(file: Path) -> set[str]:
    """All of the file, and each of its lines. Never waits: a named pipe has nothing."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as content:
            if not stat.S_ISREG(os.fstat(content.fileno()).st_mode):
                return set()
            return {content.read(MOST_OF_FILE).decode(errors="replace").strip()}
    except OSError:
        return set()


def secrets_of_file(variables: Mapping[str, str]) -> set[str]:
    """The secrets of an environment file: its values, and the credentials of addresses among them."""
    secret = {value for name, value in variables.items() if may_be_secret(name, value, in_secret_file=True)}
    return secret | {found for value in variables.values() for found in _credentials(value)}


def _variables(variables: Mapping[str, str]) -> set[str]:
    return {value for name, value in variables.items() if may_be_secret(name, value)}


def _credentials(text: str) -> set[str]:
    """Of every address in a text, such as a command line."""
    return {found for word in text.split() if "://" in word for found in credentials_in(word[_start(word) :])}


def _start(word: str) -> int:
    """Where the scheme of an address begins in a word such as `--url=https://…` or `'postgresql://…`."""
    scheme = word.index("://")
    while scheme and (word[scheme - 1].isalnum() or word[scheme - 1] in "+.-"):
        scheme -= 1
    return scheme


def _texts(value: Any) -> Iterator[str]:  # Any: plain values of the configuration
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
