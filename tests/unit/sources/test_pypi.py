"""A package on an index as the source of an app's releases."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from border.secrets import Secrets
from orchestrator.config import loader
from orchestrator.config.source_schema import PypiSource
from orchestrator.errors import ConfigError, StepFailed
from orchestrator.sources import archive, package_index
from orchestrator.sources.factory import open_source
from orchestrator.sources.pypi import PackageReleases
from orchestrator.sources.web import Web
from tests.support.package_index import SERVER, StaticIndex, sdist, server_wheel, wheel
from tests.support.paths import ROOT

INDEX = "http://index.test/simple/"


class AsTransport(httpx.AsyncBaseTransport):
    def __init__(self, index: StaticIndex) -> None:
        self._index = index

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        status, media_type, etag, body = self._index.answer(request.url.path, request.headers.get("if-none-match", ""))
        headers = {"content-type": media_type, "etag": etag}
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


@pytest.fixture(params=["json", "html"])
def index(request: pytest.FixtureRequest) -> StaticIndex:
    return StaticIndex(in_html=request.param == "html")


def shop(index: StaticIndex, **settings: Any) -> PackageReleases:
    section = PypiSource.model_validate({"package_name": "shop", "index_url": INDEX, **settings})
    return PackageReleases(section, Web(AsTransport(index), pause_s=0.0))


def with_versions(index: StaticIndex, *versions: str, **more: Any) -> StaticIndex:
    for version in versions:
        index.add("shop", f"shop-{version}-py3-none-any.whl", server_wheel("shop", version), **more)
    return index


@pytest.mark.parametrize(
    ("versions", "settings", "newest"),
    [
        (("1.9", "1.10", "1.2"), {}, "1.10"),
        (("1.0", "1.1rc1", "1.1.dev3"), {}, "1.0"),
        (("1.0", "1.1rc1", "1.1.dev3"), {"pre_release": True}, "1.1rc1"),
        (("1.1rc1", "1.1"), {"pre_release": True}, "1.1"),
        (("1.0", "1.0.post1"), {}, "1.0.post1"),
        (("2024.1", "1!1.0"), {}, "1!1.0"),
        (("1.0", "1.0+local.2"), {}, "1.0+local.2"),
    ],
)
async def test_the_newest_version_is_that_of_pep_440(
    index: StaticIndex, versions: tuple[str, ...], settings: dict[str, Any], newest: str
) -> None:
    found = await shop(with_versions(index, *versions), **settings).newest()

    assert (found.release.version, found.release.source_revision) == (newest, newest)


async def test_a_yanked_version_is_neither_offered_nor_named(index: StaticIndex) -> None:
    with_versions(index, "1.0", "1.1").yank("shop", "shop-1.1-py3-none-any.whl")

    assert (await shop(index).newest()).release.version == "1.0"
    with pytest.raises(StepFailed, match=r"shop has no version '1\.1'.* The newest ones: 1\.0\."):
        await shop(index).newest("1.1")


async def test_a_version_for_another_python_is_not_offered() -> None:
    index = with_versions(StaticIndex(), "1.0")
    with_versions(index, "2.0", **{"requires-python": ">=3.14"})
    with_versions(index, "3.0", **{"requires-python": "~nonsense"})

    assert (await shop(index).newest()).release.version == "3.0"
    with pytest.raises(StepFailed, match=r"no version '2\.0' that can be installed with Python 3\.13"):
        await shop(index).newest("2.0")
    assert (await shop(index, python="3.14").newest("2.0")).release.version == "2.0"


async def test_a_package_that_is_for_other_pythons_alone_is_told() -> None:
    index = with_versions(StaticIndex(), "2.0", **{"requires-python": ">=3.14"})

    with pytest.raises(StepFailed, match=r"shop has no release that can be installed with Python 3\.13"):
        await shop(index).newest()


@pytest.mark.parametrize("page", [b"<html><body>Please <a href='/sign-in'>sign in</a></body></html>", b"ok"])
async def test_a_page_that_lists_no_file_is_told_and_not_that_the_python_does_not_fit(page: bytes) -> None:
    said = httpx.Response(200, headers={"content-type": "text/html"}, stream=httpx.ByteStream(page))
    web = Web(httpx.MockTransport(lambda _: said))

    with pytest.raises(StepFailed, match=r"/simple/shop/ lists no wheel or source distribution of 'shop'\.") as failed:
        await PackageReleases(
            PypiSource(package_name="shop", index_url="http://192.0.2.1/simple/"), web, environment={}
        ).newest()

    assert "correct update.pypi.index_url" in failed.value.remedy


async def test_of_an_index_that_wants_a_login_the_key_for_it_is_named() -> None:
    web = Web(httpx.MockTransport(lambda _: httpx.Response(401)))

    with pytest.raises(StepFailed, match="status 401") as failed:
        await PackageReleases(
            PypiSource(package_name="shop", index_url="http://192.0.2.1/simple/"), web, environment={}
        ).newest()

    assert "update.pypi.credentials_file" in failed.value.remedy


async def test_the_day_of_a_release_is_that_of_its_upload() -> None:
    found = await shop(with_versions(StaticIndex(), "1.0")).newest()

    assert found.released_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert (await shop(with_versions(StaticIndex(in_html=True), "1.0")).newest()).released_at is None


async def test_an_unknown_package_and_one_with_nothing_to_install_are_named(index: StaticIndex) -> None:
    with pytest.raises(StepFailed, match=r"has no package 'shop'") as failed:
        await shop(index).newest()
    assert "update.pypi.package_name" in failed.value.remedy

    with pytest.raises(StepFailed, match=r"shop has pre-releases only: 1\.0a1") as failed:
        await shop(with_versions(index, "1.0a1")).newest()
    assert "update.pypi.pre_release: true" in failed.value.remedy


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"meta": 1}', b'{"files": [{"filename": 1}]}', b"\xff\xfe\x00", b"null"]
)
async def test_what_is_no_page_of_an_index_is_an_error_that_says_so(body: bytes) -> None:
    class Absurd(StaticIndex):
        def answer(self, path: str, etag: str) -> tuple[int, str, str, bytes]:
            return 200, "application/vnd.pypi.simple.v1+json", "", body

    with pytest.raises(StepFailed, match="is not a page of a package index"):
        await shop(Absurd()).newest()


@pytest.mark.parametrize("name", ["shop-x.whl", "shop-1.0.exe", "../../etc/passwd", "shop.zip", "-1.whl", ""])
async def test_a_file_with_an_absurd_name_is_no_release(index: StaticIndex, name: str) -> None:
    index.add("shop", name, b"")

    with pytest.raises(StepFailed, match="lists no wheel or source distribution of 'shop'"):
        await shop(index).newest()


@pytest.mark.parametrize(
    "name", ["shop-1.0-py3-none-any.whl\n", f"shop-1.{'0' * 300}-py3-none-any.whl", f"shop-{'1' * 5000}.tar.gz"]
)
async def test_a_file_whose_name_cannot_be_one_here_is_no_release(name: str) -> None:
    index = with_versions(StaticIndex(), "0.9")
    index.add("shop", name, b"")

    assert (await shop(index).newest()).release.version == "0.9"


async def test_days_that_no_calendar_has_or_of_no_zone_are_no_error() -> None:
    index = with_versions(StaticIndex(), "1.0", **{"upload-time": "9999-12-31T23:59:59-23:00"})
    assert (await shop(index).newest()).released_at is None

    index.add("shop", "shop-1.0-py2-none-any.whl", b"", **{"upload-time": "2026-03-01T10:00:00"})
    index.add("shop", "shop-1.0.tar.gz", b"", **{"upload-time": "2026-03-01T12:00:00+01:00"})
    assert (await shop(index).newest()).released_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://169.254.169.254/latest", "which is not followed: that is not on the internet"),
        ("file:///etc/passwd", "no web server"),
        ("http://8.8.8.8:99999/", "no address"),
        ("http://8.8.8.8/\ud800", "no address"),
    ],
)
async def test_an_index_on_the_internet_does_not_lead_to_what_only_this_host_reaches(
    tmp_path: Path, url: str, says: str
) -> None:
    index = with_versions(StaticIndex(), "1.0", url=url)

    with pytest.raises(StepFailed, match=says):
        await shop(index, index_url="http://8.8.8.8/simple/").fetch("1.0", tmp_path / "tree")

    assert {path.partition("/simple/")[0] for path in index.asked} == {""}


async def test_a_page_of_tags_or_values_alone_is_not_made_into_objects(
    index: StaticIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes up to a kilobyte of memory: 64 MiB of `<a>` took 13 GB."""
    few = {kind: (marks, 20) for kind, (marks, _) in package_index.MOST_MARKS.items()}
    monkeypatch.setattr(package_index, "MOST_MARKS", few)

    with pytest.raises(StepFailed, match="is not read: it has too many values"):
        await shop(with_versions(index, *(f"1.{number}" for number in range(20)))).newest()


async def test_if_no_wheel_fits_the_source_distribution_is_installed_and_without_one_that_is_told(
    tmp_path: Path,
) -> None:
    index = StaticIndex()
    index.add("shop", "shop-1.0-cp313-cp313-win_amd64.whl", wheel("shop", "1.0"))
    with pytest.raises(StepFailed, match=r"shop 1\.0 has no file that can be installed with Python 3\.13 on this"):
        await shop(index).fetch("1.0", tmp_path / "tree")

    index.add("shop", "shop-1.0.tar.gz", sdist("shop", "1.0", {"shop.py": ""}))
    await shop(index).fetch("1.0", tmp_path / "tree")
    assert [one.name for one in (tmp_path / "tree" / "dist").iterdir()] == ["shop-1.0.tar.gz"]


async def test_what_is_of_another_package_is_no_release(index: StaticIndex) -> None:
    with_versions(index, "1.0")
    index.add("shop", "other-2.0-py3-none-any.whl", b"")
    index.add("shop", "shop-extra-3.0.tar.gz", b"")
    index.add("shop", "Shop-1.1.tar.gz", b"")

    assert (await shop(index).newest()).release.version == "1.1"


@pytest.mark.parametrize("is_long", [True, False])
async def test_a_wheel_with_a_directory_of_any_length_is_not_read(tmp_path: Path, is_long: bool) -> None:
    content = bytearray(server_wheel("shop", "1.0"))
    end = content.rindex(b"PK\5\6")
    if is_long:
        content[end + 12 : end + 16] = (2**30).to_bytes(4, "little")
    else:
        content[end:end] = b"PK\6\7" + bytes(16)
    index = StaticIndex()
    index.add("shop", "shop-1.0-py3-none-any.whl", bytes(content))

    with pytest.raises(StepFailed, match="is no package: it has more files than anybody needs"):
        await shop(index).fetch("1.0", tmp_path / "tree")


@pytest.mark.parametrize("flag", ["encrypted", "unknown compression"])
async def test_a_wheel_that_cannot_be_read_is_told(tmp_path: Path, flag: str) -> None:
    content = bytearray(server_wheel("shop", "1.0"))
    at = content.rindex(b"PK\1\2", 0, content.rindex(b"entry_points.txt"))
    place, value = {"encrypted": (8, 1), "unknown compression": (10, 77)}[flag]
    local = content.rindex(b"PK\3\4", 0, content.index(b"entry_points.txt"))
    content[at + place] = content[local + place - 2] = value
    index = StaticIndex()
    index.add("shop", "shop-1.0-py3-none-any.whl", bytes(content))

    with pytest.raises(StepFailed, match=r"shop-1\.0-py3-none-any\.whl is no package: "):
        await shop(index).fetch("1.0", tmp_path / "tree")


async def test_what_did_not_change_is_not_sent_again(index: StaticIndex) -> None:
    source = shop(with_versions(index, "1.0"))
    await source.newest()

    assert (await source.newest()).release.version == "1.0"
    assert index.unchanged == 1
    with_versions(index, "1.1")
    assert (await source.newest()).release.version == "1.1"


async def test_versions_are_ordered_and_what_is_none_is_not_older() -> None:
    source = shop(StaticIndex())

    assert await source.is_older("1.9", "1.10")
    assert await source.is_older("1.0", "1.0")
    assert not await source.is_older("1.10", "1.9")
    assert not await source.is_older("1.0", "0123456789abcdef0123456789abcdef01234567")


async def test_around_a_wheel_an_image_is_made_with_its_command(index: StaticIndex, tmp_path: Path) -> None:
    with_versions(index, "1.0")

    await shop(index).fetch("1.0", tmp_path / "tree")

    assert {one.name for one in (tmp_path / "tree").iterdir()} == {"Dockerfile", "dist", "reach.py", "uv.txt"}
    dockerfile = (tmp_path / "tree" / "Dockerfile").read_text()
    assert dockerfile.splitlines()[1] == "FROM debian:trixie-slim AS python"
    assert f"--default-index {INDEX} /tmp/dist/*" in dockerfile
    assert dockerfile.splitlines()[-1] == 'CMD ["shop"]'
    assert "$" not in dockerfile.replace("$PATH", "")


async def test_the_command_and_the_python_of_the_image_are_those_that_are_configured(tmp_path: Path) -> None:
    index = StaticIndex()
    index.add("shop", "shop-1.0-py3-none-any.whl", wheel("shop", "1.0"))

    await shop(index, python="3.12", command=("serve", "-h", "ü\"'$x")).fetch("1.0", tmp_path / "tree")

    lines = (tmp_path / "tree" / "Dockerfile").read_text().splitlines()
    assert lines[1] == "FROM python:3.12-slim AS python"
    assert json.loads(lines[-1].removeprefix("CMD ")) == ["serve", "-h", "ü\"'$x"]


@pytest.mark.parametrize(
    ("scripts", "files", "command"),
    [
        (("shop", "shop-admin"), None, ["shop"]),
        (("Shop",), None, ["Shop"]),
        (("only",), None, ["only"]),
        ((), {"shop/__main__.py": ""}, ["python", "-m", "shop"]),
    ],
)
async def test_the_command_is_found_in_the_package(
    tmp_path: Path, scripts: tuple[str, ...], files: dict[str, str] | None, command: list[str]
) -> None:
    index = StaticIndex()
    index.add("shop", "shop-1.0-py3-none-any.whl", wheel("shop", "1.0", files=files, scripts=scripts))

    await shop(index).fetch("1.0", tmp_path / "tree")

    assert json.loads((tmp_path / "tree" / "Dockerfile").read_text().splitlines()[-1].removeprefix("CMD ")) == command


@pytest.mark.parametrize(("scripts", "says"), [((), "has no command"), (("a", "b"), "has the commands a, b")])
async def test_a_package_with_no_or_several_commands_asks_which_one(
    tmp_path: Path, scripts: tuple[str, ...], says: str
) -> None:
    index = StaticIndex()
    index.add("shop", "shop-1.0-py3-none-any.whl", wheel("shop", "1.0", scripts=scripts))

    with pytest.raises(StepFailed, match=f"shop {says}: which one is the app") as failed:
        await shop(index).fetch("1.0", tmp_path / "tree")
    assert "update.pypi.command" in failed.value.remedy


async def test_a_source_distribution_with_a_dockerfile_is_built_as_it_is(tmp_path: Path) -> None:
    index = with_versions(StaticIndex(), "1.0")
    index.add("shop", "shop-1.0.tar.gz", sdist("shop", "1.0", {"Dockerfile": "FROM shop", "shop-1.0/x": "y"}))

    await shop(index).fetch("1.0", tmp_path / "tree")

    assert (tmp_path / "tree" / "Dockerfile").read_text() == "FROM shop"
    assert (tmp_path / "tree" / "shop-1.0" / "x").read_text() == "y"
    assert [one.name for one in tmp_path.iterdir()] == ["tree"]
    await shop(index, command=("shop",)).fetch("1.0", tmp_path / "tree")
    assert (tmp_path / "tree" / "dist" / "shop-1.0-py3-none-any.whl").exists()


async def test_another_kind_of_source_distribution_is_not_looked_into(tmp_path: Path) -> None:
    index = with_versions(StaticIndex(), "1.0")
    index.add("shop", "shop-1.0.zip", b"no archive")

    await shop(index).fetch("1.0", tmp_path / "tree")

    assert (tmp_path / "tree" / "dist" / "shop-1.0-py3-none-any.whl").exists()


@pytest.mark.parametrize("limit", ["MOST_FILES", "MOST_BYTES"])
async def test_an_archive_of_more_than_anybody_needs_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(archive, limit, 10)
    index = with_versions(StaticIndex(), "1.0")
    files = {"Dockerfile": "", **{f"f{number}": "x" for number in range(12)}}
    index.add("shop", "shop-1.0.tar.gz", sdist("shop", "1.0", files))

    with pytest.raises(StepFailed, match="it has more than"):
        await shop(index).fetch("1.0", tmp_path / "tree")

    assert list((tmp_path / "tree").iterdir()) == []


async def test_a_header_of_any_length_is_not_read_into_memory(tmp_path: Path) -> None:
    """tarfile reads extended headers (PAX) whole; a few kilobytes of gzip can have one of gigabytes."""
    header = tarfile.TarInfo("shop-1.0/PaxHeaders")
    header.type, header.size = tarfile.XHDTYPE, 2**31
    packed = gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + bytes(2**22))
    index = with_versions(StaticIndex(), "1.0")
    index.add("shop", "shop-1.0.tar.gz", packed)

    with pytest.raises(StepFailed, match="one of its headers has more than 1 MiB"):
        await shop(index).fetch("1.0", tmp_path / "tree")


def archive_of(*members: tuple[str, dict[str, Any]]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as packed:
        for name, fields in [("shop-1.0/Dockerfile", {}), *members]:
            member = tarfile.TarInfo(name)
            for field, value in fields.items():
                setattr(member, field, value)
            packed.addfile(member)
    return content.getvalue()


LINK, HARD, DEVICE = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
BAD_ARCHIVES = {
    "a name with ..": archive_of(("shop-1.0/../../out", {})),
    "a file behind a link": archive_of(
        ("shop-1.0/link", {"type": LINK, "linkname": "/etc"}), ("shop-1.0/link/out", {})
    ),
    "a link": archive_of(("shop-1.0/link", {"type": LINK, "linkname": "../../.."})),
    "a hard link": archive_of(("shop-1.0/hard", {"type": HARD, "linkname": "../../out"})),
    "a device": archive_of(("shop-1.0/null", {"type": DEVICE, "devmajor": 1, "devminor": 3})),
    "no archive": b"no archive",
    "half an archive": archive_of(("shop-1.0/x", {}))[:60],
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
async def test_an_archive_that_leads_outside_or_is_broken_is_refused_and_nothing_stays(
    tmp_path: Path, name: str
) -> None:
    index = with_versions(StaticIndex(), "1.0")
    index.add("shop", "shop-1.0.tar.gz", BAD_ARCHIVES[name])
    (tmp_path / "work").mkdir()

    with pytest.raises(StepFailed, match="cannot be unpacked"):
        await shop(index).fetch("1.0", tmp_path / "work" / "tree")

    assert [one.name for one in tmp_path.iterdir()] == ["work"]
    assert [one.name for one in (tmp_path / "work").iterdir()] == ["tree"]


async def test_a_file_without_a_digest_or_with_another_one_is_not_used(index: StaticIndex, tmp_path: Path) -> None:
    index.add("shop", "shop-1.0-py3-none-any.whl", server_wheel("shop", "1.0"), hashes={})
    with pytest.raises(StepFailed, match=r"The index says no SHA-256 of shop-1\.0-py3-none-any\.whl"):
        await shop(index).fetch("1.0", tmp_path / "tree")

    index.add("shop", "shop-1.1-py3-none-any.whl", server_wheel("shop", "1.1"), hashes={"sha256": "0" * 64})
    with pytest.raises(StepFailed, match="is not the file that was announced"):
        await shop(index).fetch("1.1", tmp_path / "tree")


async def test_a_version_that_was_yanked_meanwhile_is_not_fetched(index: StaticIndex, tmp_path: Path) -> None:
    source = shop(with_versions(index, "1.0", "1.1"))
    await source.newest()
    index.yank("shop", "shop-1.1-py3-none-any.whl")

    with pytest.raises(StepFailed, match=r"shop 1\.1 cannot be installed any more"):
        await source.fetch("1.1", tmp_path / "tree")


def configured(update: str) -> Any:
    text = f"apps:\n  shop:\n    route: {{host: shop.test}}\n    update: {update}\n"
    return loader.parse(text, "c.yaml").config.apps["shop"]


async def test_three_lines_configure_an_app(tmp_path: Path) -> None:
    app = configured("{source: pypi, pypi: {package_name: datasette}}")

    source = open_source(app, "shop", tmp_path, ROOT, asyncio.Lock(), Secrets())

    assert await source.origin() == f"datasette on {urlsplit(PYPI_SIMPLE_ENDPOINT).hostname}"


@pytest.mark.parametrize(
    ("update", "says"),
    [
        (
            "{source: pypi}",
            "c.yaml:4: apps.shop.update.pypi: the source 'pypi' needs this section",
        ),
        ("{source: pypi, pypi: {package_name: 'shop==1'}}", "expected the name of one package"),
        ("{source: pypi, pypi: {package_name: '-r x'}}", "expected the name of one package"),
        (
            "{source: pypi, pypi: {package_name: shop, index_url: 'http://u:p@x/'}}",
            "expected a URL without credentials",
        ),
        ("{source: pypi, pypi: {package_name: shop, index_url: 'file:///x'}}", "expected a URL without credentials"),
        ("{source: pypi, pypi: {package_name: shop, python: '3'}}", "expected a version of Python"),
        ("{source: pypi, pypi: {package_name: shop, command: []}}", "expected a list that begins with a program"),
    ],
)
def test_a_section_that_cannot_work_is_refused(update: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        configured(update)

    assert says in str(refused.value)


def test_the_server_of_the_tests_is_a_program() -> None:
    compile(SERVER, "server", "exec")


@pytest.mark.parametrize(
    ("wanted", "pre_release", "newest"),
    [
        ("==1.2.3", False, "1.2.3"),
        (">=1,<2", False, "1.10"),
        ("==2.0rc1", False, "2.0rc1"),
        (">=1.2", False, "1.10"),
        (">=1.2", True, "2.0rc1"),
    ],
)
async def test_only_versions_of_the_range_are_offered(
    index: StaticIndex, wanted: str, pre_release: bool, newest: str
) -> None:
    source = shop(with_versions(index, "1.2.3", "1.10", "2.0rc1"), version_range=wanted, pre_release=pre_release)

    listed = await source.versions()

    assert (await source.newest()).release.version == newest
    others = [one.version for one in listed if not one.is_followed]
    assert others == [name for name in ("2.0rc1", "1.10", "1.2.3") if name in others]
    assert listed[0].version == newest
    assert [one.is_followed for one in listed] == [True] * (3 - len(others)) + [False] * len(others)
    assert (await source.newest("1.2.3")).release.version == "1.2.3", "by hand, whatever the range"


async def test_a_range_without_a_version_is_told(index: StaticIndex) -> None:
    with pytest.raises(StepFailed, match=r"shop has no version in the range ==9. The newest ones: 1.10."):
        await shop(with_versions(index, "1.10"), version_range="==9").newest()
