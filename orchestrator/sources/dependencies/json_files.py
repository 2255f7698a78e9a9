"""Files in JSON: package.json, package-lock.json (lockfileVersion 1 to 3), Pipfile.lock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from border.urls import without_credentials
from orchestrator.sources.dependencies.needs import NPM, FileNeeds, Need, Unreadable, python_need, shown

ASKED = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
INSTALLED = "node_modules/"


def _parsed(text: str) -> dict[str, Any]:  # Any: JSON
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error
    if not isinstance(found, dict):
        raise Unreadable
    return found


def package_json(text: str) -> FileNeeds:
    found = _parsed(text)
    return FileNeeds(
        tuple(
            Need(NPM, shown(name), _version(version), is_exact=False)
            for key in ASKED
            for name, version in _object(found.get(key)).items()
            if isinstance(version, str)
        )
    )


def package_lock(text: str) -> FileNeeds:
    """The packages that are installed: by their paths (versions 2 and 3), or nested in each other (version 1)."""
    found = _parsed(text)
    if isinstance(found.get("packages"), dict):
        return FileNeeds(tuple(_by_path(found["packages"])))
    return FileNeeds(tuple(_nested(found)))


def _by_path(packages: dict[str, Any]) -> Iterator[Need]:
    """https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json#packages. Without folders of the project."""
    for path, one in packages.items():
        _, installed, alias = path.rpartition(INSTALLED)
        if not installed or not isinstance(one, dict) or one.get("link") is True:
            continue
        name, version = one.get("name"), one.get("version")
        if isinstance(version, str):
            yield Need(NPM, shown(name if isinstance(name, str) else alias), _version(version), is_exact=True)


def _nested(found: dict[str, Any]) -> Iterator[Need]:
    waiting = [found]
    while waiting:
        for name, one in _object(waiting.pop().get("dependencies")).items():
            if isinstance(one, dict) and isinstance(one.get("version"), str):
                yield Need(NPM, shown(name), _version(one["version"]), is_exact=True)
                waiting.append(one)


def pipfile_lock(text: str) -> FileNeeds:
    found = _parsed(text)
    return FileNeeds(
        tuple(
            python_need(name, one["version"].removeprefix("=="), is_exact=True)
            for section in ("default", "develop")
            for name, one in _object(found.get(section)).items()
            if isinstance(one, dict) and isinstance(one.get("version"), str)
        )
    )


def _version(text: str) -> str:
    return shown(without_credentials(text) if "://" in text else text)


def _object(value: Any) -> dict[str, Any]:  # Any: JSON
    return value if isinstance(value, dict) else {}
