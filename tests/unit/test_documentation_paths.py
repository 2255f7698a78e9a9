"""The files that the documentation names exist."""

from __future__ import annotations

import re

import pytest

from tests.support.paths import ROOT

PAGES = ("README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))))
PATH = re.compile(r"`((?:orchestrator|panel|migrations|tests|tools|examples|docs)(?:/[\w.-]+)*/?)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
NEWCOMER_TASKS = 14


@pytest.mark.parametrize("page", PAGES)
def test_paths_and_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    missing = [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    missing += [link for link in LINK.findall(text) if not ((ROOT / page).parent / link).exists()]

    assert missing == []


def test_the_table_of_newcomer_tasks_names_at_most_two_files_for_each() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = text.partition("## Which file to change")[2].splitlines()
    named = [PATH.findall(row) for row in rows if row.startswith("| ") and "---" not in row and "| file |" not in row]

    assert len(named) == NEWCOMER_TASKS
    assert all(1 <= len(paths) <= 2 for paths in named)
