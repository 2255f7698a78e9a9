"""The values of an app's configuration as they are in effect, one for each key, with the line that each is in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from border.secrets import is_secret_name, may_be_secret
from border.urls import HIDDEN
from orchestrator.config import yaml_text
from orchestrator.config.app_schema import App
from orchestrator.config.keys import KeyPath
from orchestrator.config.schema import PANEL

OF_USERS = (("run", "env"), ("build", "args"))
"""The sections whose keys are names of variables, and whose values may be secrets."""
COMMANDS = frozenset({"command", "status", "down", "dump", "restore"})
"""The last part of keys whose values are commands, which may have a password among their words."""


def effective(config: App) -> dict[str, str]:
    """By key, such as `run.port`: the value as it is written; empty where none is set. Secrets are hidden."""
    return {".".join(at): value for at, value in _flat(config.model_dump(mode="json", by_alias=True), ())}


def lines_of(app: str, text: str) -> Mapping[str, int]:
    """By key: the line of the file `text` that has it. A large file takes seconds. The file is a valid one."""
    prefix: KeyPath = () if app == PANEL else ("apps", app)
    found = yaml_text.read(text).lines if text else {}
    return {
        ".".join(map(str, at[len(prefix) :])): line for at, line in found.items() if at[: len(prefix)] == prefix != at
    }


def is_command(key: str) -> bool:
    return key.rpartition(".")[2] in COMMANDS


def _flat(value: Any, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:  # Any: plain values
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _flat(one, (*at, str(name)))
    else:
        yield at, _shown(at, value)


def _shown(at: tuple[str, ...], value: Any) -> str:  # Any: as above
    if value is None or value in ({}, []):
        return ""
    if at[:2] in OF_USERS and (is_secret_name(at[-1]) or may_be_secret(at[-1], str(value))):
        return HIDDEN
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
