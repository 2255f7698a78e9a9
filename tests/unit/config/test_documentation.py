"""Every key is documented: meaning, unit, default, a valid example, and what differs from the first design."""

from __future__ import annotations

import re
import runpy
from typing import Any

import pytest
import yaml

from orchestrator.config import loader
from orchestrator.config.app_schema import App
from orchestrator.config.keys import APP, Key, every_key, named_fields
from tests.support.paths import ROOT

TOOL = runpy.run_path(str(ROOT / "tools" / "configuration-page"))
PAGES = (
    "README.md",
    "examples/shop/README.md",
    "docs/configuration.md",
    "docs/migrations.md",
    "docs/hooks.md",
    "docs/notices.md",
)
DIFFERENT = (
    "update.git.remote",
    "update.git.branch",
    "update.git.fetch_interval",
    "update.pypi.package_name",
    "update.backup.create_before_update",
    "update.backup.backup_location",
    "update.migrations.backup_before_migration",
    "update.rollback.enabled",
    "update.rollback.auto_rollback_on_failure",
    "hot_reload.watch_paths",
)


def named(key: Key) -> str:
    return key.name


def said(key: Key) -> Any:
    """The tool's Meaning of a key; its type is known to the tool only."""
    return TOOL["meanings"](key.section).get(key.path[-1])


@pytest.mark.parametrize("key", every_key(), ids=named)
def test_a_key_has_a_meaning_and_a_unit(key: Key) -> None:
    meaning = said(key)

    assert meaning, f"write a string under {key.section.__name__}.{key.path[-1]}"
    assert len(meaning.text.split()) >= 3
    assert meaning.text.endswith(".")
    assert key.unit, f"annotate {key.name} with Unit(...)"


@pytest.mark.parametrize("key", every_key(), ids=named)
def test_the_example_of_a_key_is_valid_and_not_its_default(key: Key) -> None:
    example = yaml.safe_load(said(key).example)

    loaded = loader.parse(yaml.safe_dump(with_value(key, example)), "c.yaml")

    taken: Any = loaded.config
    for part in key.path:
        taken = taken["shop"] if part == APP else taken[part] if isinstance(taken, dict) else value_of(taken, part)
        if part in LISTS and isinstance(taken, tuple):
            (taken,) = taken
    assert taken == (tuple(example) if isinstance(example, list) else example)
    if key.name not in ("update.source", f"apps.{APP}.route.default"):  # which have one possible value each
        assert taken != key.field.default


def value_of(section: Any, key: str) -> Any:
    return getattr(section, key, None) if key != "from" else section.from_


LISTS = ("notify",)
"""Sections of which a file has a list."""
BESIDE = {"strip_path": {"path": "/shop"}, "git.version_range": {"tags": "v*"}}
"""Keys that have an effect together with others alone."""
OF_APP = {"report": {"update": {"git": {"remote": "https://git.example.com/team/shop.git"}}}}
"""What the app of a section must have."""


def with_value(key: Key, value: object) -> dict[str, Any]:
    """A file in which a key has a value, and whatever its section requires beside it."""
    required = {
        name: yaml.safe_load(TOOL["meanings"](key.section)[name].example)
        for name, field in named_fields(key.section).items()
        if field.is_required() and key.section is not App
    }
    inner: dict[str, Any] = (
        required | (BESIDE.get(key.path[-1]) or BESIDE.get(".".join(key.path[-2:]), {})) | {key.path[-1]: value}
    )
    for part in reversed(key.path[2:-1] if key.path[0] == "apps" else key.path[:-1]):
        inner = {part: [inner] if part in LISTS else inner}
    if key.path[0] != "apps":
        return inner
    inner["route"] = {"host": "shop.test"} | inner.get("route", {})
    inner |= OF_APP.get(key.path[2], {})
    return {"apps": {"shop": inner}}


def test_the_page_of_the_configuration_is_up_to_date() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert written == TOOL["page"](), "run tools/configuration-page"


def test_the_page_has_a_row_for_every_key_and_the_keys_of_updates_once() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE)

    assert len(rows) == len(set(rows)) == len(every_key())


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_from_the_first_design_is_marked_with_the_reason(name: str) -> None:
    key = next(one for one in every_key() if one.name == name)

    assert re.search(r"Differs from the original specification \(.+\), because ", said(key).text)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_in_the_documentation_load(page: str) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)

    assert examples
    for example in examples:
        assert loader.parse(example, page).config.apps
