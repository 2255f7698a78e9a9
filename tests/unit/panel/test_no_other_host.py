"""The pages ask no other host for anything: neither files of ours nor those of the terminal name one to load from."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from panel.web import pages

OURS = [*pages.HERE.glob("*.html"), *(pages.HERE / "static").iterdir()]
THEIRS = [Path(str(files("textual_serve") / "static" / name)) for name in ("js/textual.js", "css/xterm.css")]
LOADED = re.compile(
    r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import|"""
    r"""(?:fetch|import|Worker|EventSource|sendBeacon|importScripts)\(\s*["'`](?:https?:)?//"""
)


@pytest.mark.parametrize("file", [*OURS, *THEIRS], ids=lambda file: file.name)
def test_a_file_of_the_page_loads_nothing_from_another_host(file: Path) -> None:
    assert LOADED.findall(file.read_text(encoding="utf-8")) == []


def test_the_browser_would_refuse_it_anyhow() -> None:
    sources = dict(one.split(" ", 1) for one in pages.CONTENT_SECURITY_POLICY.split("; "))

    assert sources["default-src"] == sources["connect-src"] == sources["script-src"] == "'self'"
    assert not re.search(r"https?:|\*", pages.CONTENT_SECURITY_POLICY)


@pytest.mark.parametrize("page", ["terminal.html", "sign_in.html"])
def test_a_page_has_a_title_an_icon_and_fits_a_phone(page: str) -> None:
    text = (pages.HERE / page).read_text(encoding="utf-8")

    assert "<title>Changeover" in text
    assert 'rel="icon" href="/assets/icon.svg"' in text
    assert (pages.HERE / "static" / "icon.svg").exists()
    assert 'name="viewport" content="width=device-width, initial-scale=1' in text
