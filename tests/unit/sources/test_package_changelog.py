"""What an update of a Python package says: by its changelog file, and by its metadata."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from orchestrator.domain.changelog import Changelog
from orchestrator.sources import package_changelog
from tests.support.package_index import StaticIndex, sdist, server_wheel
from tests.unit.sources.test_pypi import shop

HISTORY = """History
=======

1.2.0 (2026-03-01)
------------------

- feat: a cart

1.1.0 (2026-02-01)
------------------

Bugfixes
~~~~~~~~

- count once

1.0.0 (2026-01-01)
------------------

- all
"""
NEEDS = {
    "1.0.0": ["httpx>=0.27", "gone", "extra-only==1 ; extra == 'dev'"],
    "1.2.0": ["httpx>=0.28", "new==2 ; python_version > '3'", "extra-only==2 ; extra == 'dev'", "not a requirement !"],
}


def metadata(version: str) -> str:
    lines = "".join(f"Requires-Dist: {need}\n" for need in NEEDS[version])
    return f"Metadata-Version: 2.1\nName: shop\nVersion: {version}\nRequires-Python: >=3.{len(version)}\n{lines}\n"


class WithMetadata(StaticIndex):
    """An index that has the metadata of each wheel beside it (PEP 658)."""

    def answer(self, path: str, etag: str) -> tuple[int, str, str, bytes]:
        if path.endswith(".metadata"):
            return 200, "text/plain", "", metadata(path.split("-")[1]).encode()
        return super().answer(path, etag)


def index_with(files: dict[str, str], index: StaticIndex | None = None, **more: Any) -> StaticIndex:
    index = index or StaticIndex()
    for version in ("1.0.0", "1.2.0"):
        index.add("shop", f"shop-{version}-py3-none-any.whl", server_wheel("shop", version), **more)
        index.add("shop", f"shop-{version}.tar.gz", sdist("shop", version, files), **more)
    return index


async def changelog(index: StaticIndex, since: str = "1.0.0", **settings: Any) -> Changelog:
    return await shop(index, **settings).changelog(since, "1.2.0")


async def test_the_changelog_file_of_the_source_distribution_is_read() -> None:
    found = await changelog(index_with({"docs/CHANGELOG.md": "# 1.2.0\n- not this\n", "HISTORY.rst": HISTORY}))

    assert [(one.revision, one.kind, one.subject) for one in found.changes] == [
        ("1.2.0", "feat", "a cart"), ("1.1.0", "fix", "count once"),
    ]  # fmt: skip
    assert found.notes == ()


async def test_after_a_commit_of_another_source_the_changes_of_the_new_release_are_listed() -> None:
    found = await changelog(index_with({"HISTORY.rst": HISTORY}), "b" * 40)

    assert [one.subject for one in found.changes] == ["a cart"]


async def test_a_package_without_a_changelog_says_so() -> None:
    found = await changelog(index_with({"setup.py": ""}))

    assert (found.changes, found.notes) == ((), ("shop-1.2.0.tar.gz has no changelog file.",))


async def test_a_package_of_wheels_alone_says_so() -> None:
    index = StaticIndex()
    index.add("shop", "shop-1.2.0-py3-none-any.whl", server_wheel("shop", "1.2.0"))

    found = await changelog(index, "")

    assert found.notes == ("The package has no source distribution, in which its changelog could be.",)


async def test_an_archive_that_is_none_fails_no_check() -> None:
    index = StaticIndex()
    index.add("shop", "shop-1.2.0.tar.gz", b"no archive")

    (note,) = (await changelog(index)).notes

    assert note.startswith("The changelog of shop-1.2.0.tar.gz is not known: shop-1.2.0.tar.gz cannot be read")


async def test_a_large_archive_is_not_fetched_for_its_changelog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_changelog, "MOST_OF_SDIST", 10)
    index = index_with({"CHANGES.md": "# 1.2.0\n- a cart\n"}, size=11)

    found = await changelog(index)

    assert (found.changes, [path for path in index.asked if path.startswith("/files/")]) == ((), [])
    assert found.notes == ("shop-1.2.0.tar.gz is too large to be fetched for its changelog.",)


@pytest.mark.parametrize("said", [{}, {"size": 5}])
async def test_nor_is_one_of_which_the_index_does_not_say_so(
    said: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_changelog, "MOST_OF_SDIST", 10)

    found = await changelog(index_with({"CHANGES.md": "# 1.2.0\n- a cart\n"}, **said))

    assert found.changes == ()
    assert "is larger than" in found.notes[0]


@pytest.mark.parametrize("extra", ["", " and extra == 'dev'"])
async def test_a_requirement_that_is_nested_too_deeply_is_left_out(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = f"deep==1 ; {'(' * 20_000}python_version > '3'{')' * 20_000}{extra}"
    monkeypatch.setitem(NEEDS, "1.2.0", [deep, "httpx>=0.28"])

    found = await changelog(index_with({}, WithMetadata(), **{"core-metadata": True}))

    assert found.dependencies is not None
    assert "deep" not in [one.name for one in found.dependencies]


async def test_metadata_is_read_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()
    asked = package_changelog._asked

    def noted(text: str) -> Any:
        threads.add(threading.get_ident())
        return asked(text)

    monkeypatch.setattr(package_changelog, "_asked", noted)
    await changelog(index_with({}, WithMetadata(), **{"core-metadata": True}))

    assert threads
    assert threading.get_ident() not in threads


@pytest.mark.parametrize(
    ("more", "settings", "size"),
    [({"size": 100}, {}, 200), ({"size": 100}, {"command": ("shop",)}, 100), ({}, {}, None), ({"size": -1}, {}, None)],
)
async def test_the_size_is_that_of_the_files_that_are_fetched(
    more: dict[str, Any], settings: dict[str, Any], size: int | None
) -> None:
    assert (await changelog(index_with({}, **more), **settings)).download_bytes == size


async def test_what_the_metadata_asks_for_otherwise_is_listed() -> None:
    found = await changelog(index_with({}, WithMetadata(), **{"core-metadata": True}))

    assert found.dependencies is not None
    assert [(one.name, one.before, one.after) for one in found.dependencies] == [
        ("gone", "any version", ""), ("httpx", ">=0.27", ">=0.28"), ("new", "", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize("since", ["", "0.9"])
async def test_without_both_releases_dependencies_are_not_known(since: str) -> None:
    found = await changelog(index_with({}, WithMetadata(), **{"core-metadata": True}), since)

    assert found.dependencies is None


async def test_without_metadata_dependencies_are_not_known() -> None:
    assert (await changelog(index_with({}))).dependencies is None


async def test_an_index_is_asked_once_for_the_same_update() -> None:
    index = index_with({"CHANGES.md": "# 1.2.0\n- a cart\n"})
    package = shop(index)

    first = await package.changelog("1.0.0", "1.2.0")
    asked = len(index.asked)

    assert await package.changelog("1.0.0", "1.2.0") == first
    assert len(index.asked) == asked
