"""An app from archives on a web server: found by their manifest, signed, updated, rolled back."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from minisign import KeyPair  # type: ignore[import-untyped]

from tests.support.package_index import SERVER, Served
from tests.support.stack import Stack
from tests.support.visitor import Visitor

CONFIG = """
apps:
  shop:
    update:
      source: url
      url: {{manifest_url: {web}/manifest.json, download_url: "{web}/{{version}}.tar.gz", public_key: shop.pub}}
    route: {{host: shop.test}}
"""
DOCKERFILE = """
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY server.py /
CMD ["python3", "/server.py"]
"""


class Maker:
    """Publishes signed releases."""

    def __init__(self) -> None:
        self._pair = KeyPair.generate()
        self.public_key = bytes(self._pair.public_key)
        self.pages: dict[str, bytes] = {}

    def publish(self, version: str, *, signed_as: str = "") -> None:
        server = SERVER.replace("VERSION", version).replace("ADDRESS", "0.0.0.0") + "\nmain()\n"
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:gz") as archive:
            for name, text in (("Dockerfile", DOCKERFILE), ("server.py", server)):
                member = tarfile.TarInfo(f"shop-{version}/{name}")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        packed = content.getvalue()
        signature = self._pair.secret_key.sign(packed, trusted_comment=f"version:{signed_as or version}")
        self.pages[f"/{version}.tar.gz"] = packed
        self.pages["/manifest.json"] = json.dumps(
            {
                "version": version,
                "sha256": hashlib.sha256(packed).hexdigest(),
                "changelog": [f"feat: release {version}"],
                "signature": bytes(signature).decode(),
            }
        ).encode()

    def answer(self, path: str, _etag: str) -> tuple[int, str, str, bytes]:
        found = self.pages.get(path)
        return (404, "text/plain", "", b"") if found is None else (200, "application/octet-stream", "", found)


@pytest.fixture
def maker() -> Maker:
    made = Maker()
    made.publish("1.9.0")
    return made


@pytest.fixture
def stack(tmp_path: Path, maker: Maker, proxy_image: None) -> Iterator[Stack]:
    (tmp_path / "shop.pub").write_bytes(maker.public_key)
    with Served(maker.answer) as served, Stack(tmp_path, CONFIG.format(web=served.url)) as running:
        yield running


def test_an_archive_is_deployed_updated_and_rolled_back_while_it_is_used(stack: Stack, maker: Maker) -> None:
    assert stack.deploy()["state"] == "live"

    maker.publish("1.10.0")
    with Visitor(stack) as visitor:
        checked = stack.command("check", "shop")
        assert "shop: 1.10.0 is available" in checked.stdout
        assert "release 1.10.0" in checked.stdout
        deployed = stack.command("deploy", "shop", "--wait")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        assert stack.ask().json() == {"release": "1.10.0"}
        assert stack.wait_ended(stack.rollback()["id"])["state"] == "live"

        maker.publish("1.11.0", signed_as="1.0.0")
        refused = stack.command("deploy", "shop", "--wait")
        maker.pages["/manifest.json"] = b"<html>"
        broken = stack.command("check", "shop")
    assert visitor.failures == []
    assert visitor.releases == {"1.9.0", "1.10.0"}
    assert refused.returncode == 1
    assert "The signature is not for version 1.11.0" in refused.stdout + refused.stderr
    assert broken.returncode == 1
    assert "is not a manifest" in broken.stdout + broken.stderr
    assert stack.app()["active"]["version"] == "1.9.0"
