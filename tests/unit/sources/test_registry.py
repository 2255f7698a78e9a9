"""Images of a registry as the source of an app's releases."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from border.secrets import Secrets
from orchestrator.config import loader
from orchestrator.config.source_schema import RegistrySource
from orchestrator.domain.image_name import ImageName, image_name, why_no_image
from orchestrator.errors import ConfigError, StepFailed
from orchestrator.sources import cosign, registry_client
from orchestrator.sources.cosign import MOST_SIGNATURES, PAYLOAD, SIGNATURE, Signature, tag_of
from orchestrator.sources.registry import RegistryImages
from orchestrator.sources.registry_client import RegistryClient
from orchestrator.sources.web import Web

CREATED = "2026-03-01T10:00:00.123456789Z"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Hub(httpx.AsyncBaseTransport):
    """A registry with one image, which may want a password (`Basic`) or a token of its own server (`Bearer`)."""

    def __init__(self, wants: str = "") -> None:
        self.wants = wants
        self.pages: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.asked: list[httpx.Request] = []
        self.page_size = 1000
        self.token: object = "of-anybody"
        self.challenge = (
            'Bearer realm="https://registry.test/token",service="registry.test",scope="repository:shop:pull"'
        )

    def push(
        self,
        tag: str,
        labels: dict[str, str] | None = None,
        *,
        architectures: tuple[str, ...] = (),
        layers: object = None,
    ) -> str:
        config = json.dumps({"created": CREATED, "config": {"Labels": labels}, "tag": tag}).encode()
        more = {} if layers is None else {"layers": layers}
        manifest = json.dumps({"config": {"digest": self._keep("blobs", config)}, **more}).encode()
        digest = self._keep("manifests", manifest)
        if architectures:
            platforms = [{"digest": digest, "platform": {"os": "linux", "architecture": one}} for one in architectures]
            digest = self._keep("manifests", json.dumps({"manifests": platforms}).encode())
        self.tags[tag] = digest
        return digest

    def _keep(self, kind: str, content: bytes) -> str:
        digest = digest_of(content)
        self.pages[f"{kind}/{digest}"] = content
        return digest

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        authorization = request.headers.get("authorization", "")
        basic = "Basic " + base64.b64encode(b"ci:secret-of-ci").decode()
        if request.url.path == "/token":
            told = {"token": "of-the-day"} if authorization == basic else {"token": self.token}
            return httpx.Response(200, stream=httpx.ByteStream(json.dumps(told).encode()))
        if self.wants == "Basic" and authorization != basic:
            return httpx.Response(401, headers={"www-authenticate": 'Basic realm="shop"'})
        if self.wants == "Bearer" and authorization != "Bearer of-the-day":
            return httpx.Response(401, headers={"www-authenticate": self.challenge})
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v2/shop/")
        more = {}
        if path == "tags/list":
            names = [tag for tag in sorted(self.tags) if tag > request.url.params.get("last", "")]
            content = json.dumps({"tags": names[: self.page_size]}).encode()
            more = {"link": '</v2/shop/tags/list?last=x>; rel="next"'} if names[self.page_size :] else {}
        else:
            reference = path.removeprefix("manifests/")
            known = self.pages.get(f"manifests/{self.tags[reference]}" if reference in self.tags else path)
            if known is None:
                return httpx.Response(404)
            content = known
        tag = digest_of(content)
        if request.headers.get("if-none-match") == tag:
            return httpx.Response(304, headers={"etag": tag})
        return httpx.Response(200, headers={"etag": tag, **more}, stream=httpx.ByteStream(content))


@pytest.fixture
def hub() -> Hub:
    return Hub()


def shop(hub: Hub, folder: Path = Path(), **settings: Any) -> RegistryImages:
    section = RegistrySource.model_validate({"image": "registry.test/shop", **settings})
    return RegistryImages(section, folder, Web(hub, pause_s=0.0), Secrets())


async def test_the_release_is_what_the_tag_stands_for(hub: Hub) -> None:
    digest = hub.push("stable", {"org.opencontainers.image.version": "1.2.3"})

    found = await shop(hub, tag="stable").newest()

    assert (found.release.version, found.release.source_revision) == ("1.2.3", digest)
    assert found.released_at == datetime(2026, 3, 1, 10, 0, 0, 123456, UTC)


@pytest.mark.parametrize(
    ("tag", "label", "version"),
    [
        ("stable", "v2.0", "v2.0"),
        ("1.2", "1.2.7", "1.2.7"),
        ("1.2", "", "1.2"),
        ("latest", "", "latest-{digits}"),
        ("latest", "\x1b[31mnightly", "latest-{digits}"),
    ],
)
async def test_the_version_is_that_of_the_label_or_tag(hub: Hub, tag: str, label: str, version: str) -> None:
    digest = hub.push(tag, {"org.opencontainers.image.version": label})

    found = await shop(hub, tag=tag).newest()

    assert found.release.version == version.format(digits=digest[7:14])


async def test_of_a_range_the_newest_tag_is_offered(hub: Hub) -> None:
    for tag in ("v1.1.0", "v1.9.0", "v1.10.0", "v1.11.0-rc.1", "1.12.0-4", "2.0.0", "latest", "1.13-alpine"):
        hub.push(tag)
    hub.page_size = 3

    found = await shop(hub, version_range=">=1.2,<2").newest()

    assert (found.release.version, found.release.source_revision) == ("v1.10.0", hub.tags["v1.10.0"])
    with pytest.raises(StepFailed, match=r"range ==1\.2\. Tags that it has, 8 in all: 2\.0\.0, 1\.12\.0-4, v1\.11"):
        await shop(hub, version_range="==1.2").newest()


async def test_more_tags_than_fit_on_a_page_are_asked_for(hub: Hub) -> None:
    """A registry may put fewer on a page than it was asked for."""
    hub.page_size = 3
    for number in range(11):
        hub.push(f"1.{number}")

    assert (await shop(hub, version_range=">=1").newest()).release.version == "1.10"


async def test_a_tag_or_digest_can_be_named_and_an_unknown_one_is_told(hub: Hub) -> None:
    first = hub.push("stable")
    hub.push("stable", {"new": "yes"})

    assert (await shop(hub, tag="stable").newest(first)).release.source_revision == first
    with pytest.raises(StepFailed, match=r"registry\.test/shop has no tag or digest 'v9'"):
        await shop(hub).newest("v9")


async def test_what_did_not_change_is_not_sent_again(hub: Hub) -> None:
    hub.push("latest")
    source = shop(hub)
    await source.newest()
    asked = len(hub.asked)

    await source.newest()

    assert [one.method for one in hub.asked[asked:]] == ["HEAD"]


async def test_of_an_image_for_several_machines_the_one_for_this_is_looked_at(hub: Hub) -> None:
    source = shop(hub)
    digest = hub.push("latest", architectures=("s390x", source._platform))

    assert (await source.newest()).release.source_revision == digest
    hub.push("latest", architectures=("s390x",))
    with pytest.raises(StepFailed, match="The image has none for linux/"):
        await source.newest()


@pytest.mark.parametrize("wants", ["Basic", "Bearer"])
async def test_a_private_image_is_asked_for_with_the_password(tmp_path: Path, wants: str) -> None:
    hub = Hub(wants)
    digest = hub.push("latest")
    (tmp_path / "password").write_text("secret-of-ci\n")

    found = await shop(hub, tmp_path, username="ci", password_file="password").newest()

    assert found.release.source_revision == digest
    with pytest.raises(StepFailed, match="without credentials, or not with these"):
        await shop(hub).newest()
    (tmp_path / "password").unlink()
    with pytest.raises(StepFailed, match="password cannot be read: No such file"):
        await shop(hub, tmp_path, username="ci", password_file="password").newest()


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"<html>", b'{"config": 1}', b'{"config": {"digest": "../x"}}', b'{"manifests": 7}', b"[" * 100_000],
)
async def test_what_is_no_image_is_told(hub: Hub, content: bytes) -> None:
    hub.tags["latest"] = hub._keep("manifests", content)

    with pytest.raises(StepFailed, match=r"is not an answer of a registry|is not an image|has none for linux"):
        await shop(hub).newest()


async def test_what_was_found_by_its_tag_has_the_same_version_when_it_is_deployed_by_its_digest(hub: Hub) -> None:
    hub.push("1.2.3")
    source = shop(hub, version_range=">=1")
    offered = (await source.newest()).release

    assert (await source.newest(offered.source_revision)).release == offered


@pytest.mark.parametrize("reference", ["../../other/manifests/latest", "latest?x=1", "a b", "sha256:0", "latest\n"])
async def test_what_is_neither_tag_nor_digest_is_not_asked_for(hub: Hub, reference: str) -> None:
    hub.push("latest")

    with pytest.raises(StepFailed, match="has no tag or digest"):
        await shop(hub).newest(reference)

    assert hub.asked == []


async def test_tags_that_are_none_are_not_followed(hub: Hub) -> None:
    for tag in ("1.0", "1.1\n", " 1.2", "1.3+x", f"1.4{'0' * 200}", "1!1.5", "1.6\ud800"):
        hub.push(tag)

    assert (await shop(hub, version_range=">=1").newest()).release.version == "1.0"


async def test_tags_without_end_are_given_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest of those that were read would be offered as the newest of all, although it may be an older one."""
    monkeypatch.setattr(registry_client, "MOST_TAGS", 5)
    hub.page_size = 1
    for number in range(7):
        hub.push(f"1.{number}")

    with pytest.raises(StepFailed, match="has more than 5 tags") as failed:
        await shop(hub, version_range=">=1").newest()
    assert "set update.registry.tag" in failed.value.remedy


async def test_tags_that_take_for_ever_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Hub):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0)
            return await super().handle_async_request(request)

    hub = Slow()
    hub.push("1.0")
    monkeypatch.setattr(registry_client, "TAGS_WITHIN_S", 0.0)

    with pytest.raises(StepFailed, match="were not read within 0 s"):
        await shop(hub, version_range=">=1").newest()


async def test_an_answer_that_is_not_the_digest_that_was_asked_for_is_not_used(hub: Hub) -> None:
    asked, other = hub.push("a"), hub.push("b")
    hub.pages[f"manifests/{asked}"] = hub.pages[f"manifests/{other}"]

    with pytest.raises(StepFailed, match=r"registry\.test answered with something else than sha256:"):
        await shop(hub).newest(asked)


@pytest.mark.parametrize("created", ["9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00Z", "yesterday", "", None, 5])
async def test_a_day_that_is_none_is_unknown(hub: Hub, created: str | int | None) -> None:
    config = json.dumps({"created": created, "config": {}}).encode()
    hub.tags["latest"] = hub._keep("manifests", json.dumps({"config": {"digest": hub._keep("blobs", config)}}).encode())

    assert (await shop(hub).newest()).released_at is None


@pytest.mark.parametrize(
    "challenge",
    [
        'Basic realm="shop", Bearer realm="https://registry.test/token?of=1",service="registry.test"',
        'Bearer realm="https://registry.test/token?of=1",service="registry.test", Basic realm="shop"',
    ],
)
async def test_of_several_ways_to_sign_in_the_token_is_taken(hub: Hub, tmp_path: Path, challenge: str) -> None:
    hub.wants, hub.challenge = "Bearer", challenge
    hub.push("latest")
    (tmp_path / "password").write_text("secret-of-ci")

    await shop(hub, tmp_path, username="ci", password_file="password").newest()

    assert dict(hub.asked[1].url.params) == {"of": "1", "service": "registry.test"}


@pytest.mark.parametrize("token", ["of\nthe day", "é", "", "x" * 100_000, None, ["a"]])
async def test_a_token_that_cannot_be_sent_is_none(hub: Hub, tmp_path: Path, token: object) -> None:
    hub.wants, hub.token = "Bearer", token
    hub.push("latest")

    with pytest.raises(StepFailed, match="without credentials, or not with these"):
        await shop(hub).newest()


async def test_who_is_refused_reads_what_to_set(hub: Hub, tmp_path: Path) -> None:
    hub.wants = "Basic"
    with pytest.raises(StepFailed) as failed:
        await shop(hub).newest()
    assert "an image that does not exist. If it is private, set update.registry.username" in failed.value.remedy

    (tmp_path / "password").write_text("wrong")
    with pytest.raises(StepFailed) as failed:
        await shop(hub, tmp_path, username="ci", password_file="password").newest()
    assert "or the user and password" in failed.value.remedy


async def test_exactly_the_digest_is_built_from(hub: Hub, tmp_path: Path) -> None:
    digest = hub.push("latest")

    await shop(hub).fetch(digest, tmp_path / "tree")

    assert (tmp_path / "tree" / "Dockerfile").read_text() == f"FROM registry.test/shop@{digest}\n"
    with pytest.raises(StepFailed, match="is not the digest of an image"):
        await shop(hub).fetch("latest\nRUN evil", tmp_path / "tree")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nginx", ImageName("docker.io", "library/nginx")),
        ("datasetteproject/datasette", ImageName("docker.io", "datasetteproject/datasette")),
        ("ghcr.io/a/b/c", ImageName("ghcr.io", "a/b/c")),
        ("localhost/shop", ImageName("localhost", "shop")),
        ("127.0.0.1:5000/shop", ImageName("127.0.0.1:5000", "shop")),
    ],
)
def test_the_name_of_an_image_is_read_as_docker_reads_it(text: str, name: ImageName) -> None:
    assert (image_name(text), why_no_image(text)) == (name, "")


@pytest.mark.parametrize(
    "text", ["", "Shop", "a//b", "x:1", "x/y:1", "x@sha256:0", "a b", "-x", "x/", "é", "a" * 300, "x\n"]
)
def test_what_is_no_name_of_an_image_is_refused(text: str) -> None:
    assert why_no_image(text)


@pytest.mark.parametrize(
    ("registry", "says"),
    [
        ("{image: 'registry.test/shop:1'}", "a tag or digest is not a part of it; set update.registry.tag"),
        ("{image: shop, version_range: '1.2'}", "expected a range of versions"),
        ("{image: shop, version_range: ''}", "expected a range of versions"),
        (
            "{image: shop, version_range: '>1', tag: x}",
            "c.yaml:4: apps.shop.update.registry.tag: the tags of version_ra",
        ),
        ("{image: shop, username: ci}", "update.registry.username: it needs password_file, too"),
        ("{image: shop, password_file: x}", "update.registry.password_file: it needs username, too"),
        ("{image: shop, username: 'a:b', password_file: x}", "without a colon"),
        ("{image: shop, tag: 'a b'}", "expected a tag"),
    ],
)
def test_a_section_that_cannot_work_is_refused(registry: str, says: str) -> None:
    update = f"{{source: registry, registry: {registry}}}"
    with pytest.raises(ConfigError) as refused:
        loader.parse(f"apps:\n  shop:\n    route: {{host: x}}\n    update: {update}\n", "c.yaml")

    assert says in str(refused.value)


@pytest.mark.parametrize("key", ["dockerfile: x", "context: x", "target: x"])
def test_an_image_that_is_not_built_has_nothing_to_say_of_its_build(key: str) -> None:
    update = "{source: registry, registry: {image: shop}}"
    text = f"apps:\n  shop:\n    route: {{host: x}}\n    build: {{{key}}}\n    update: {update}\n"

    with pytest.raises(ConfigError, match="deployed as it is, and not built; remove this key"):
        loader.parse(text, "c.yaml")


COMMIT, SOURCE = "org.opencontainers.image.revision", "org.opencontainers.image.source"


async def test_the_changelog_is_what_the_labels_say(hub: Hub) -> None:
    live = hub.push("old", {COMMIT: "1" * 40})
    labels = {"changeover.changelog": "- feat(cart): keep it\n\n* fix!: \x1b[31mthe port\nmore", COMMIT: "2" * 40}
    hub.push("stable", labels | {SOURCE: "https://me:secret@git.example.com/shop"})
    images = shop(hub, tag="stable")
    new = (await images.newest()).release.source_revision

    found = await images.changelog(live, new)

    assert [(one.kind, one.scope, one.subject, one.breaking) for one in found.changes] == [
        ("feat", "cart", "keep it", False), ("fix", "", "the port", True), ("", "", "more", False),
    ]  # fmt: skip
    assert found.notes == (
        "It was built from commit 222222222222 of https://git.example.com/shop; the live image from 111111111111.",
    )
    assert found.dependencies is None


def layer(digit: str, size: object) -> dict[str, object]:
    return {"digest": f"sha256:{digit * 64}", "size": size}


@pytest.mark.parametrize(
    ("live", "new", "size"),
    [
        ([layer("a", 100)], [layer("a", 100), layer("b", 7), layer("c", 5)], 12),
        ([layer("a", 100)], [layer("a", 100)], 0),
        (None, [layer("a", 100), layer("b", 7)], 107),
        ([layer("a", 100)], None, None),
        ([layer("a", 100)], [layer("b", "7")], None),
        ([layer("a", 100)], [layer("b", -7)], None),
        ([layer("a", 100)], "odd", None),
        ([layer("a", 100)], [5, None], None),
    ],
)
async def test_the_size_is_that_of_the_layers_that_the_live_image_has_not(
    hub: Hub, live: object, new: object, size: int | None
) -> None:
    since = hub.push("old", layers=live)
    hub.push("stable", layers=new)
    images = shop(hub, tag="stable")

    found = await images.changelog(since, (await images.newest()).release.source_revision)

    assert found.download_bytes == size


@pytest.mark.parametrize("since", ["", "sha256:" + "f" * 64, "4d1f0a2" * 5, "1.2.3"])
async def test_a_live_image_that_the_registry_does_not_know_is_no_error(hub: Hub, since: str) -> None:
    hub.push("stable", layers=[layer("a", 100)])
    images = shop(hub, tag="stable")

    found = await images.changelog(since, (await images.newest()).release.source_revision)

    assert (found.download_bytes, found.notes) == (100, ())


@pytest.mark.parametrize(
    "layers",
    [None, {}, "x", [None], [{}], [{"mediaType": PAYLOAD, "digest": 3}], [{"mediaType": PAYLOAD, "annotations": []}],
     [{"mediaType": PAYLOAD, "digest": "../../x", "annotations": {SIGNATURE: "eA=="}}],
     [{"mediaType": "text/plain", "digest": f"sha256:{'0' * 64}", "annotations": {SIGNATURE: "eA=="}}],
     [{"mediaType": PAYLOAD, "digest": f"sha256:{'0' * 64}", "annotations": {SIGNATURE: 7}}]],
)  # fmt: skip
async def test_what_is_no_signature_of_cosign_is_none(hub: Hub, layers: object) -> None:
    digest = hub.push("latest")
    hub.push(tag_of(digest), layers=layers)

    assert await RegistryClient(image_name("registry.test/shop"), Web(hub, pause_s=0.0)).signatures(digest) == []


async def test_signatures_beyond_what_is_read_are_told(hub: Hub) -> None:
    digest = hub.push("latest")
    one = {"mediaType": PAYLOAD, "digest": f"sha256:{'0' * 64}", "annotations": {SIGNATURE: "eA=="}}
    hub.push(tag_of(digest), layers=[one] * (MOST_SIGNATURES + 1))

    with pytest.raises(StepFailed, match=r"has 51 signatures of .*; at most 50 are read"):
        await RegistryClient(image_name("registry.test/shop"), Web(hub, pause_s=0.0)).signatures(digest)


@pytest.mark.parametrize("payload", [b"", b"[", b"[" * 100_000, b"[]", b"7", b'{"critical": null}', b"\xff"])
def test_what_is_signed_and_no_payload_of_cosign_is_of_something_else(payload: bytes) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signature = base64.b64encode(private.sign(payload, ec.ECDSA(hashes.SHA256()))).decode()

    with pytest.raises(StepFailed, match="its signature by the key k is of something else"):
        cosign.refuse_unsigned("shop", "v1", "sha256:", [Signature(payload, signature)], public, "k")
    for broken in ("", "?", "ä", signature[:-4], "eA=="):
        with pytest.raises(StepFailed, match="none of its signatures is by the key k"):
            cosign.refuse_unsigned("shop", "v1", "sha256:", [Signature(payload, broken)], public, "k")
