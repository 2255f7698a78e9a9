"""Archives on a web server as the source of an app's releases."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from minisign import KeyPair  # type: ignore[import-untyped]

from border.secrets import Secrets
from orchestrator.config import loader
from orchestrator.config.source_schema import UrlSource
from orchestrator.domain.release import Change
from orchestrator.errors import ConfigError, StepFailed
from orchestrator.sources.url import ArchivedReleases
from orchestrator.sources.web import Web

MANIFEST, ARCHIVES = "http://web.test/shop/manifest.json", "http://web.test/shop/{version}.tar.gz"


def archive_of(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as packed:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            packed.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


class Server(httpx.AsyncBaseTransport):
    """What it has, by path; pages with ETags."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.unchanged = 0

    def publish(self, version: str, archive: bytes | None = None, **more: Any) -> dict[str, Any]:
        archive = archive_of({f"shop-{version}/Dockerfile": version}) if archive is None else archive
        self.pages[f"/shop/{version}.tar.gz"] = archive
        entry = {"version": version, "sha256": hashlib.sha256(archive).hexdigest(), **more}
        self.pages["/shop/manifest.json"] = json.dumps(entry).encode()
        return entry

    def announce(self, *entries: dict[str, Any]) -> None:
        self.pages["/shop/manifest.json"] = json.dumps({"releases": entries}).encode()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = self.pages.get(request.url.path)
        if content is None:
            return httpx.Response(404)
        tag = hashlib.sha256(content).hexdigest()
        if request.headers.get("if-none-match") == tag:
            self.unchanged += 1
            return httpx.Response(304, headers={"etag": tag})
        return httpx.Response(200, headers={"etag": tag}, stream=httpx.ByteStream(content))


@pytest.fixture
def server() -> Server:
    return Server()


def shop(
    server: Server, folder: Path = Path(), known_secrets: Secrets | None = None, **settings: Any
) -> ArchivedReleases:
    section = UrlSource.model_validate({"manifest_url": MANIFEST, "download_url": ARCHIVES, **settings})
    return ArchivedReleases(section, folder, Web(server, pause_s=0.0), known_secrets or Secrets())


async def test_a_manifest_of_one_release_offers_it(server: Server) -> None:
    server.publish("1.2.0", released_at="2026-03-01T10:00:00+01:00")

    found = await shop(server).newest()

    assert (found.release.version, found.release.source_revision) == ("1.2.0", "1.2.0")
    assert found.released_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    await (source := shop(server)).newest()
    await source.newest()
    assert server.unchanged == 1


async def test_of_several_releases_the_newest_is_offered_and_any_can_be_named(server: Server) -> None:
    server.announce(*(server.publish(version) for version in ("1.9.0", "1.10.0", "1.10.0-rc.1")))

    assert (await shop(server).newest()).release.version == "1.10.0"
    assert (await shop(server).newest("v1.9.0")).release.version == "1.9.0"
    with pytest.raises(StepFailed, match=r"names no version '3'. It names: 1\.10\.0, 1\.10\.0-rc\.1, 1\.9\.0\."):
        await shop(server).newest("3")


async def test_with_the_scheme_commit_a_manifest_has_its_own_order(server: Server) -> None:
    names = ("blue", "2.0", "1.0", "3.0")
    server.announce(*(server.publish(name, changelog=[f"feat: {name}"], size=7) for name in names))
    section = UrlSource.model_validate({"manifest_url": MANIFEST, "download_url": ARCHIVES})
    source = ArchivedReleases(section, Path(), Web(server, pause_s=0.0), Secrets(), scheme="commit")

    found = await source.changelog("3.0", "2.0")

    assert (await source.newest()).release.version == "blue"
    assert [change.revision for change in found.changes] == ["2.0", "1.0"]
    assert found.download_bytes == 7
    assert not await source.is_older("1.0", "2.0")


async def test_after_a_commit_of_another_source_the_changes_of_the_new_release_are_listed(server: Server) -> None:
    server.announce(*(server.publish(name, changelog=[f"feat: {name}"]) for name in ("1.0.0", "1.2.0")))

    found = await shop(server).changelog("b" * 40, "1.2.0")

    assert [change.subject for change in found.changes] == ["1.2.0"]


async def test_more_changes_than_are_listed_are_counted(server: Server) -> None:
    for number in range(3):
        server.publish(f"1.{number}.0")
    lines = [f"feat: number {number}" for number in range(150)]
    server.announce(*(server.publish(f"1.{number}.0", changelog=lines) for number in range(3)))

    found = await shop(server).changelog("1.0.0", "1.2.0")

    assert (len(found.changes), found.changes_left_out) == (200, 100)
    assert found.download_bytes is None


@pytest.mark.parametrize(
    ("wanted", "newest"), [("==1.9.0", "1.9.0"), (">=1,<1.10", "1.9.0"), ("==1.10.0-rc.1", "1.10.0-rc.1")]
)
async def test_only_archives_of_the_range_are_offered(server: Server, wanted: str, newest: str) -> None:
    server.announce(*(server.publish(version) for version in ("1.9.0", "1.10.0", "1.10.0-rc.1")))
    source = shop(server, version_range=wanted)

    listed = await source.versions()

    assert (await source.newest()).release.version == newest
    others = [name for name in ("1.10.0", "1.10.0-rc.1", "1.9.0") if name != newest]
    assert [one.version for one in listed] == [newest, *others]
    assert [one.version for one in listed if one.is_followed] == [newest]
    assert (await source.newest("1.10.0")).release.version == "1.10.0", "by hand, whatever the range"
    with pytest.raises(StepFailed, match=r"names no version in the range ==7"):
        await shop(server, version_range="==7").newest()


async def test_what_is_asked_afresh_is_read_whole(server: Server) -> None:
    server.publish("1.2.0")
    source = shop(server)
    await source.newest()

    source.forget()
    await source.newest()

    assert server.unchanged == 0


async def test_the_changes_are_those_of_all_releases_between(server: Server) -> None:
    server.announce(
        server.publish("1.0.0", changelog=["feat: the first"]),
        server.publish("1.1.0", changelog="- feat(cart): keep it\n\n* fix!: till\n"),
        server.publish("1.2.0", changelog=["anything \x1b[31melse"]),
        server.publish("1.3.0", changelog=["fix: later"]),
    )

    assert (await shop(server).changelog("1.0.0", "1.2.0")).changes == (
        Change("1.2.0", "", "", "anything else"),
        Change("1.1.0", "feat", "cart", "keep it"),
        Change("1.1.0", "fix", "", "till", breaking=True),
    )
    assert await shop(server).is_older("1.0.0", "1.2.0")
    assert not await shop(server).is_older("1.10.0", "1.9.0")


async def test_the_changes_of_many_releases_are_the_newest_ones(server: Server) -> None:
    entries = [server.publish(f"1.{number}.0", changelog=[f"fix: {number}"] * 200) for number in range(4)]
    server.announce(*entries)

    changes = (await shop(server).changelog("1.0.0", "1.3.0")).changes

    assert (len(changes), changes[0].subject, changes[-1].subject) == (200, "3", "3")


async def test_releases_in_a_field_that_is_ignored_are_none(server: Server) -> None:
    server.publish("1.0.0", links={"releases": "https://web.test/"})

    assert (await shop(server).newest()).release.version == "1.0.0"


async def test_a_day_that_no_calendar_has_is_unknown(server: Server) -> None:
    server.publish("1.0.0", released_at="9999-12-31T23:59:59-23:00")

    assert (await shop(server).newest()).released_at is None


async def test_a_manifest_without_end_is_not_read(server: Server) -> None:
    server.publish("1.0.0", of_no_use="x" * 5 * 2**20)

    with pytest.raises(StepFailed, match=r"manifest\.json is larger than 4 MiB"):
        await shop(server).newest()


async def test_what_is_fetched_is_the_archive_without_its_outer_folder(server: Server, tmp_path: Path) -> None:
    server.publish("1.0.0", archive_of({"shop-1.0.0/Dockerfile": "FROM x", "shop-1.0.0/a/b": "c"}))
    await shop(server).fetch("1.0.0", tmp_path / "tree")
    assert (tmp_path / "tree" / "a" / "b").read_text() == "c"

    server.publish("1.1.0", archive_of({"./Dockerfile": "FROM y", "./a": "b"}))
    await shop(server).fetch("1.1.0", tmp_path / "tree")
    assert sorted(one.name for one in (tmp_path / "tree").iterdir()) == ["Dockerfile", "a"]
    assert [one.name for one in tmp_path.iterdir()] == ["tree"]


async def test_an_archive_that_differs_from_the_manifest_is_not_used(server: Server, tmp_path: Path) -> None:
    server.publish("1.0.0")
    server.pages["/shop/1.0.0.tar.gz"] = archive_of({"Dockerfile": "FROM evil"})

    with pytest.raises(StepFailed, match="is not the file that was announced"):
        await shop(server).fetch("1.0.0", tmp_path / "tree")
    assert list((tmp_path / "tree").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"it is no JSON \("),
        (b"[]", r"it must be an object, \{…\}\."),
        (b"<html>", "it is no JSON"),
        (
            b'{"version": "1", "sha256": "%s", "released_at": "2026-01-01T00:00:00"}' % (b"0" * 64),
            "released_at: it must end with its time zone",
        ),
        (b'{"version": "1.0"}', "sha256: it is missing"),
        (
            b'{"version": "../1", "sha256": ""}',
            r"version: it must be a version such as 1\.2\.3: at most 100 letters, digits and \. _ \+ ! -",
        ),
        (b'{"version": "1", "sha256": "x"}', "sha256: it must be the SHA-256 of the archive, 64 digits"),
        (b'{"releases": []}', "releases: it must have at least 1 value"),
        (b'{"releases": [{"version": 1}]}', r"releases\.0\.version: it must be a text"),
        (
            b'{"version": "1", "sha256": "%s", "released_at": "x"}' % (b"0" * 64),
            "released_at: it must be a date with time",
        ),
        (b'{"version": "1", "sha256": "%s", "size": -1}' % (b"0" * 64), "size: it must be 0 or more"),
        (b"[" * 100_000, "it is no JSON"),
    ],
)
async def test_what_is_no_manifest_is_told_with_its_key(server: Server, content: bytes, says: str) -> None:
    server.pages["/shop/manifest.json"] = content

    with pytest.raises(StepFailed, match=f"manifest.json is not a manifest: {says}"):
        await shop(server).newest()


async def test_a_version_that_the_manifest_names_no_more_is_not_fetched(server: Server, tmp_path: Path) -> None:
    server.publish("1.1.0")

    with pytest.raises(StepFailed, match=r"does not name version 1\.0\.0 any more"):
        await shop(server).fetch("1.0.0", tmp_path / "tree")


class Signer:
    """A maker with a key."""

    def __init__(self, folder: Path) -> None:
        self.pair = KeyPair.generate()
        self.key = folder / "shop.pub"
        self.key.write_bytes(bytes(self.pair.public_key))

    def sign(self, content: bytes, comment: str) -> str:
        return bytes(self.pair.secret_key.sign(content, trusted_comment=comment)).decode()


async def test_a_signed_archive_is_used(server: Server, tmp_path: Path) -> None:
    signer, content = Signer(tmp_path), archive_of({"Dockerfile": "FROM x", "a": ""})
    server.publish("1.0.0", content, signature=signer.sign(content, "made by me version:1.0.0"))
    await shop(server, tmp_path, public_key="shop.pub").fetch("1.0.0", tmp_path / "tree")
    assert (tmp_path / "tree" / "Dockerfile").exists()

    server.publish("1.0.0", content)
    server.pages["/shop/1.0.0.tar.gz.minisig"] = signer.sign(content, "version:1.0.0").encode()
    await shop(server, tmp_path, public_key="shop.pub").fetch("1.0.0", tmp_path / "tree")
    assert (tmp_path / "tree" / "Dockerfile").exists()


WRONG: dict[str, tuple[Callable[[Signer, bytes, Path], str], str]] = {
    "another key": (
        lambda _, content, folder: Signer(folder / "other").sign(content, "version:1.0.0"),
        "is not signed",
    ),
    "another archive": (lambda signer, _, __: signer.sign(b"other", "version:1.0.0"), "is not signed by"),
    "another version": (lambda signer, content, _: signer.sign(content, "version:0.9.0"), "is not for version 1.0.0"),
    "no version": (lambda signer, content, _: signer.sign(content, "timestamp:1"), "is not for version 1.0.0"),
    "a changed comment": (
        lambda signer, content, _: signer.sign(content, "version:0.9.0").replace("0.9.0", "1.0.0"),
        "is not signed by",
    ),
    "no signature": (lambda *_: "what is this", "is not signed by"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_an_archive_with_a_wrong_signature_is_not_used(server: Server, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "other").mkdir()
    signer, content = Signer(tmp_path), archive_of({"Dockerfile": "FROM x", "a": ""})
    signed, says = WRONG[wrong]
    server.publish("1.0.0", content, signature=signed(signer, content, tmp_path))

    with pytest.raises(StepFailed, match=says) as failed:
        await shop(server, tmp_path, public_key="shop.pub").fetch("1.0.0", tmp_path / "tree")

    assert "minisign -S -m ARCHIVE -t 'version:1.0.0'" in failed.value.remedy
    assert list((tmp_path / "tree").iterdir()) == []


async def test_a_key_that_is_none_and_a_signature_that_is_not_there_are_told(server: Server, tmp_path: Path) -> None:
    content = archive_of({"Dockerfile": "FROM x", "a": ""})
    server.publish("1.0.0", content, signature="x")
    (tmp_path / "shop.pub").write_text("no key")
    for key, says in (("shop.pub", "shop.pub is no public key of minisign"), ("none.pub", "No such file")):
        with pytest.raises(StepFailed, match=says):
            await shop(server, tmp_path, public_key=key).fetch("1.0.0", tmp_path / "tree")

    server.publish("1.0.0", content)
    with pytest.raises(StepFailed, match=r"1\.0\.0\.tar\.gz\.minisig answered with status 404"):
        await shop(server, tmp_path, public_key="shop.pub").fetch("1.0.0", tmp_path / "tree")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("{manifest_url: 'ftp://x/m', download_url: 'http://x/{version}'}", "manifest_url: expected a URL"),
        ("{manifest_url: 'http://x/m', download_url: 'http://x/1'}", "download_url: expected {version} in it"),
    ],
)
def test_a_section_that_cannot_work_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loader.parse(f"apps:\n  shop:\n    route: {{host: x}}\n    update: {{source: url, url: {url}}}\n", "c.yaml")

    assert says in str(refused.value)


async def test_a_damaged_archive_is_called_by_its_version_and_the_file_of_its_address(
    server: Server, tmp_path: Path
) -> None:
    server.publish("1.0.0", b"no archive")

    with pytest.raises(StepFailed, match=r"^The archive of 1\.0\.0 \(1\.0\.0\.tar\.gz\) cannot be unpacked: "):
        await shop(server).fetch("1.0.0", tmp_path / "dd46ac7b")


@pytest.mark.parametrize("length", [300, 301, 2001, 1_000_000])
async def test_a_long_line_of_the_changelog_is_shortened_and_ends_no_check(server: Server, length: int) -> None:
    server.publish("1.0.0", changelog=["fix: " + "x" * (length - 5), "fix: till"])

    long, short = (await shop(server).changelog("", "1.0.0")).changes

    assert long.subject == "x" * min(295, length - 5) + (" (shortened)" if length > 300 else "")
    assert short.subject == "till"


@pytest.mark.parametrize("as_text", [False, True], ids=["list", "text"])
async def test_of_a_changelog_with_many_lines_the_rest_is_counted(server: Server, as_text: bool) -> None:
    many = [f"fix: {number}" for number in range(500)]
    server.announce(
        server.publish("1.0.0", changelog="\n".join(many) if as_text else many, lines_left_out=7),
        server.publish("1.1.0", changelog=["fix: till"] * 50),
    )

    found = await shop(server).changelog("", "1.1.0")

    assert (len(found.changes), found.changes[-1].subject, found.changes_left_out) == (200, "149", 350)


async def test_a_secret_in_a_long_line_is_taken_out_before_it_is_shortened(server: Server) -> None:
    known = Secrets()
    known.know(["tell-nobody-12345"])
    server.publish("1.0.0", changelog=["fix: " + "x" * 290 + "tell-nobody-12345" + "x" * 3000])

    (change,) = (await shop(server, known_secrets=known).changelog("", "1.0.0")).changes

    assert "tell" not in change.subject
