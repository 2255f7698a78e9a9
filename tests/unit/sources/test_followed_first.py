"""Every source lists the versions that are followed before the others, also where those are many and newer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from border.secrets import Secrets
from orchestrator.config.source_schema import PypiSource, RegistrySource, UrlSource
from orchestrator.errors import StepFailed
from orchestrator.sources.base import MOST_VERSIONS, SourceVersion, followed_first
from orchestrator.sources.git_versions import tagged_versions
from orchestrator.sources.package_index import JSON
from orchestrator.sources.pypi import PackageReleases
from orchestrator.sources.registry import RegistryImages
from orchestrator.sources.url import ArchivedReleases
from orchestrator.sources.versions import SEMVER
from orchestrator.sources.web import Web

MANY = MOST_VERSIONS + 20
Listed = Callable[[], Awaitable[tuple[SourceVersion, ...]]]


def web(content: object, media_type: str = "application/json") -> Web:
    def answer(_request: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(json.dumps(content).encode())
        return httpx.Response(200, headers={"content-type": media_type}, stream=stream)

    return Web(httpx.MockTransport(answer), pause_s=0.0)


def packages() -> PackageReleases:
    names = ["1.0", *(f"2.0rc{number}" for number in range(MANY))]
    files = [
        {"url": "x", "hashes": {"sha256": "0" * 64}, "filename": f"shop-{name}-py3-none-any.whl"} for name in names
    ]
    page = {"meta": {"api-version": "1.1"}, "name": "shop", "files": files}
    return PackageReleases(PypiSource(package_name="shop", index_url="http://index.test/simple/"), web(page, JSON))


def archives() -> ArchivedReleases:
    names = ["1.0.0", *(f"2.0.{number}" for number in range(MANY))]
    manifest = {"releases": [{"version": name, "sha256": "0" * 64} for name in names]}
    of = {"manifest_url": "http://web.test/m.json", "download_url": "http://web.test/{version}", "version_range": "<2"}
    return ArchivedReleases(UrlSource.model_validate(of), Path(), web(manifest), Secrets())


def images() -> RegistryImages:
    tags = ["1.0.0", "latest", *(f"2.0.{number}" for number in range(MANY))]
    settings = RegistrySource(image="registry.test/shop", version_range="<2")
    return RegistryImages(settings, Path(), web({"tags": tags}))


async def tags() -> tuple[SourceVersion, ...]:
    names = ["v1.0.0", *(f"v2.0.0-rc.{number}" for number in range(MANY))]

    async def git(_command: str, *words: str) -> str:
        with_dates = any("creatordate:unix" in word for word in words)
        asked = [name for name in names if not with_dates or f"refs/tags/{name}" in words]
        return "\n".join(f"{name}\0{1000}" if with_dates else name for name in asked)

    return await tagged_versions(git, "v*", None, SEMVER)


@pytest.mark.parametrize(
    "listed",
    [lambda: packages().versions(), lambda: archives().versions(), lambda: images().versions(), tags],
    ids=["pypi", "url", "registry", "git"],
)
async def test_a_version_that_is_followed_is_listed_before_many_newer_ones_that_are_not(listed: Listed) -> None:
    first, *others = await listed()

    assert first.version.removeprefix("v") in ("1.0", "1.0.0")
    assert first.is_followed
    assert len(others) == MOST_VERSIONS - 1
    assert not any(one.is_followed for one in others)
    assert [one.version.endswith(str(MANY - 1)) for one in others[:2]] == [True, False], "the newest of them first"


async def test_an_unknown_version_is_answered_by_those_that_are_followed() -> None:
    with pytest.raises(StepFailed, match=r"The newest ones: 1\.0, 2\.0rc119, "):
        await packages().newest("9")
    with pytest.raises(StepFailed, match=r"It names: 1\.0\.0, 2\.0\.119, "):
        await archives().newest("9")


@given(st.lists(st.integers(), max_size=3 * MOST_VERSIONS), st.integers(1, 5))
def test_followed_ones_come_first_and_each_group_keeps_its_order(found: list[int], modulus: int) -> None:
    listed = followed_first(found, lambda one: one % modulus == 0)

    mine = [one for one in found if one % modulus == 0]
    rest = [one for one in found if one % modulus]
    assert [one for one, _ in listed] == [*mine, *rest][:MOST_VERSIONS]
    assert all(is_followed == (one % modulus == 0) for one, is_followed in listed)
