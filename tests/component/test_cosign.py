"""Signatures that Debian's cosign made, in Debian's docker-registry: what is not signed by the key is not used."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from orchestrator.config.source_schema import RegistrySource
from orchestrator.errors import StepFailed
from orchestrator.sources.cosign import PAYLOAD, SIGNATURE, tag_of
from orchestrator.sources.registry import RegistryImages
from tests.support.cosign import Cosign
from tests.support.images import build_folder
from tests.support.registry import Registry
from tests.support.user import NO_TLS

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Shop:
    """An image in a registry, and cosign with the keys `shop` and `other`."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry = registry
        self.folder = folder
        self.cosign = Cosign(folder)
        for name in ("shop", "other"):
            self.cosign.make_key(name)
        self.newest = ""
        self.blobs = f"http://{registry.host}/v2/shop"

    def push(self) -> str:
        """A new image at the tag `stable`. Returns its digest."""
        made_from = self.folder / "image"
        made_from.mkdir(exist_ok=True)
        text = f"FROM scratch\nLABEL of={secrets.token_hex()}\nCOPY Dockerfile /\n"
        (made_from / "Dockerfile").write_text(text)
        self.newest = self.registry.push(build_folder("signed", made_from), "shop:stable")
        return self.newest

    def sign(self, digest: str, key: str, *more: str) -> None:
        self.cosign.sign(f"{self.registry.host}/shop@{digest}", key, *more)

    def source(self, key: str = "shop.pub") -> RegistryImages:
        section = {"image": f"{self.registry.host}/shop", "tag": "stable", "insecure": True, "cosign_key": key}
        return RegistryImages(RegistrySource.model_validate(section), self.folder)

    async def why_not(self, key: str = "shop.pub") -> str:
        """Why the newest image is neither offered nor fetched."""
        with pytest.raises(StepFailed) as of_fetch:
            await self.source(key).fetch(self.newest, self.folder / "tree")
        assert not (self.folder / "tree").exists()
        with pytest.raises(StepFailed) as failed:
            await self.source(key).newest()
        assert failed.value.cause[-25:] == of_fetch.value.cause[-25:]
        assert failed.value.remedy
        return f"{failed.value.cause} {failed.value.remedy}"

    def signatures(self, digest: str) -> Any:  # JSON
        return httpx.get(f"{self.blobs}/manifests/{tag_of(digest)}", headers={"accept": MANIFEST}, verify=NO_TLS).json()

    def put_signatures(self, digest: str, manifest: Any) -> None:
        content, headers = json.dumps(manifest), {"content-type": MANIFEST}
        put = httpx.put(f"{self.blobs}/manifests/{tag_of(digest)}", content=content, headers=headers, verify=NO_TLS)
        assert put.status_code == 201, put.text


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with Registry(folder) as running:
        yield Shop(running, tmp_path)


async def test_what_cosign_has_not_signed_with_the_key_is_neither_offered_nor_fetched(shop: Shop) -> None:
    first = shop.push()
    assert "stable is not used: it has no signature in its registry." in (says := await shop.why_not())
    assert f"cosign sign --key KEY --tlog-upload=false {shop.registry.host}/shop@{first}" in says

    shop.sign(first, "other")
    assert "none of its signatures is by the key shop.pub." in await shop.why_not()

    # A second signer, as a release that two have approved.
    shop.sign(first, "shop", "-a", "build=7")
    found = await shop.source().newest()
    assert found.release.source_revision == first
    await shop.source().fetch(first, shop.folder / "tree")
    assert (shop.folder / "tree" / "Dockerfile").read_text() == f"FROM {shop.registry.host}/shop@{first}\n"
    await shop.source("other.pub").newest()
    verify = ("verify", "--key", "shop.pub", "--insecure-ignore-tlog", f"{shop.registry.host}/shop@{first}")
    assert "build" in shop.cosign.run(*verify)  # the same answer as cosign's own

    # Each signature is of one digest: nobody can give one image the signature of another.
    signed = shop.signatures(first)
    second = shop.push()
    shop.put_signatures(second, signed)
    (shop.folder / "tree" / "Dockerfile").unlink()
    (shop.folder / "tree").rmdir()
    assert "its signature by the key shop.pub is of something else." in await shop.why_not()

    # A payload that names the other digest is not what was signed.
    layer = next(one for one in signed["layers"] if "build" in _payload(shop, one))
    changed = _payload(shop, layer).replace(first, second).encode()
    shop.put_signatures(second, {**signed, "layers": [_pushed(shop, changed, layer["annotations"][SIGNATURE])]})
    assert "none of its signatures is by the key shop.pub." in await shop.why_not()

    # An attestation is none of the image, though the same key signs it.
    (shop.folder / "predicate").write_text('{"scanned": true}')
    attest = ("attest", "--key", "shop.key", "--predicate", "predicate", "--type", "custom", "--tlog-upload=false")
    shop.cosign.run(*attest, "--yes", f"{shop.registry.host}/shop@{second}")
    assert "none of its signatures is by the key shop.pub." in await shop.why_not()

    shop.put_signatures(second, signed)
    shop.sign(second, "shop")
    assert (await shop.source().newest()).release.source_revision == second


def _payload(shop: Shop, layer: Any) -> str:
    return httpx.get(f"{shop.blobs}/blobs/{layer['digest']}", verify=NO_TLS).text


def _pushed(shop: Shop, payload: bytes, signature: str) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(payload).hexdigest()}"
    upload = httpx.post(f"{shop.blobs}/blobs/uploads/", verify=NO_TLS).headers["location"]
    there = httpx.URL(upload).copy_merge_params({"digest": digest})
    assert httpx.put(there, content=payload, verify=NO_TLS).status_code == 201
    return {"mediaType": PAYLOAD, "digest": digest, "size": len(payload), "annotations": {SIGNATURE: signature}}


async def test_a_file_that_is_no_public_key_of_cosign_is_told_and_nothing_is_used(shop: Shop) -> None:
    digest = shop.push()
    shop.sign(digest, "shop")
    rsa = generate_private_key(65537, 2048).public_key()
    (shop.folder / "rsa.pub").write_bytes(rsa.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (shop.folder / "garbage").write_text("-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n")
    (shop.folder / "binary").write_bytes(b"\xff\x00")

    assert "gone.pub cannot be read: No such file or directory." in await shop.why_not("gone.pub")
    assert "binary cannot be read" in await shop.why_not("binary")
    assert "garbage is no public key of cosign: " in await shop.why_not("garbage")
    assert "rsa.pub is no public key of cosign: it is none of ECDSA" in await shop.why_not("rsa.pub")
    says = await shop.why_not("shop.key")
    assert "shop.key is a private key, which signs: it does not belong on this host." in says
    assert (await shop.source().newest()).release.source_revision == digest
