"""Files in TOML: pyproject.toml, uv.lock, poetry.lock and pdm.lock, pylock.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from packaging.pylock import Pylock, PylockValidationError

from border.urls import without_credentials
from orchestrator.sources.dependencies.needs import PYTHON, FileNeeds, Need, Unreadable, python_need, shown
from orchestrator.sources.dependencies.requirements import requirement

POETRY = ("dependencies", "dev-dependencies")


def _parsed(text: str) -> dict[str, Any]:  # Any: TOML
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise Unreadable from error


def pyproject(text: str) -> FileNeeds:
    """`project` (PEP 621), `dependency-groups` (PEP 735) and `tool.poetry`."""
    found = _parsed(text)
    project, tool = _table(found, "project"), _table(_table(found, "tool"), "poetry")
    needs = [*_project(project), *_listed(_table(found, "dependency-groups")), *_poetry(tool)]
    for group in _tables(_table(tool, "group")):
        needs += _poetry(group)
    return FileNeeds(tuple(needs))


def _project(project: dict[str, Any]) -> Iterator[Need]:
    if isinstance(python := project.get("requires-python"), str):
        yield _python(python)
    yield from _listed({"": project.get("dependencies")})
    yield from _listed(_table(project, "optional-dependencies"))


def _python(wanted: str) -> Need:
    return Need(PYTHON, "python", shown(wanted), is_exact=False)


def _listed(lists: dict[str, Any]) -> Iterator[Need]:
    for one in lists.values():
        for text in one if isinstance(one, list) else ():
            if isinstance(text, str) and (need := requirement(text)):
                yield need


def _poetry(section: dict[str, Any]) -> Iterator[Need]:
    for name, wanted in (pair for key in POETRY for pair in _table(section, key).items()):
        for one in wanted if isinstance(wanted, list) else (wanted,):
            version = _poetry_version(one)
            yield _python(version) if name.lower() == "python" else python_need(name, version, is_exact=False)


def _poetry_version(wanted: Any) -> str:  # Any: TOML
    if not isinstance(wanted, dict):
        return "" if wanted == "*" or not isinstance(wanted, str) else wanted
    version = next((wanted[key] for key in ("version", "git", "url", "path") if isinstance(wanted.get(key), str)), "")
    return without_credentials(version) if "://" in version else version


def lock(text: str) -> FileNeeds:
    """The `[[package]]` tables of uv, poetry and pdm, without the project itself (uv: its source is a folder)."""
    packages = _parsed(text).get("package")
    needs = []
    for one in packages if isinstance(packages, list) else ():
        name, version = (one.get("name"), one.get("version")) if isinstance(one, dict) else (None, None)
        if isinstance(name, str) and not _is_own(one.get("source")):
            needs.append(python_need(name, version if isinstance(version, str) else "", is_exact=True))
    return FileNeeds(tuple(needs))


def _is_own(source: Any) -> bool:  # Any: TOML
    return isinstance(source, dict) and bool({"editable", "virtual", "directory"} & source.keys())


def pylock(text: str) -> FileNeeds:
    """A lock file by PEP 751. One that is not valid in every part is read as far as its packages can be."""
    found = _parsed(text)
    try:
        packages = [(str(one.name), str(one.version or ""), one.directory is not None) for one in _pylock(found)]
    except (PylockValidationError, ValueError, TypeError, AttributeError):
        listed = found.get("packages")
        packages = [
            (one["name"], one["version"], "directory" in one)
            for one in (listed if isinstance(listed, list) else ())
            if isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("version"), str)
        ]
    return FileNeeds(
        tuple(python_need(name, version, is_exact=True) for name, version, is_folder in packages if not is_folder)
    )


def _pylock(found: dict[str, Any]) -> Any:  # Any: the library's packages, of which three fields are read
    return Pylock.from_dict(found).packages


def _table(found: dict[str, Any], name: str) -> dict[str, Any]:
    table = found.get(name)
    return table if isinstance(table, dict) else {}


def _tables(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (one for one in found.values() if isinstance(one, dict))


IS_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")
