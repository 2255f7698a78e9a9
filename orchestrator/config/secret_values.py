"""The secrets of a configuration: which of its values, and of the files that it names, are never kept or shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from border.secrets import may_be_secret
from border.urls import credentials_in
from orchestrator.config.app_schema import App
from orchestrator.config.env_file import EnvFileUnreadable, read_env_file
from orchestrator.config.schema import Config


def secret_values(config: Config, folder: Path) -> set[str]:
    """Values of `run.env`, `run.env_file` and `build.args`, and the credentials of every address in the configuration.

    `folder` is the one that the configuration's paths are relative to. Files that cannot be read are left out: who
    needs them reports it.
    """
    values = {found for text in _texts(config.model_dump()) for found in _credentials(text)}
    for app in config.apps.values():
        values |= _variables(app.run.env) | _variables(app.build.args) | _of_env_file(app, folder)
    return values


def _of_env_file(app: App, folder: Path) -> set[str]:
    """All of it is secret: that is what the file is for."""
    if not app.run.env_file:
        return set()
    try:
        return secrets_of_file(read_env_file(folder / app.run.env_file))
    except EnvFileUnreadable:
        return set()


def secrets_of_file(variables: Mapping[str, str]) -> set[str]:
    """The secrets of an environment file: its values, and the credentials of addresses among them."""
    return {found for value in variables.values() for found in (value, *_credentials(value))}


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
