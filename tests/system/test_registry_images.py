"""An app from images of a registry: Debian's docker-registry, and images that others have built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.images import build_folder
from tests.support.package_index import SERVER
from tests.support.registry import Registry
from tests.support.stack import Stack
from tests.support.visitor import Visitor

CONFIG = """
apps:
  shop:
    update: {{source: registry, registry: {{image: {host}/shop, {follows}, insecure: true}}}}
    route: {{host: shop.test}}
"""
DOCKERFILE = """
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY server.py /
LABEL org.opencontainers.image.version={label}
CMD ["python3", "/server.py"]
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with Registry(folder) as running:
        yield running


def push(registry: Registry, folder: Path, version: str, *tags: str) -> str:
    (folder / "image").mkdir(exist_ok=True)
    server = SERVER.replace("VERSION", version).replace("ADDRESS", "0.0.0.0") + "\nmain()\n"
    (folder / "image" / "server.py").write_text(server)
    (folder / "image" / "Dockerfile").write_text(DOCKERFILE.format(label=version))
    image = build_folder("registry-shop", folder / "image")
    return [registry.push(image, f"shop:{tag}") for tag in tags][-1]


def test_what_a_tag_stands_for_is_deployed_by_its_digest_while_it_is_used(
    tmp_path: Path, registry: Registry, proxy_image: None
) -> None:
    first = push(registry, tmp_path, "1.9.0", "stable")
    config = CONFIG.format(host=registry.host, follows="tag: stable")
    with Stack(tmp_path, config) as stack:
        assert stack.deploy()["state"] == "live"
        assert stack.app()["active"]["revision"] == first

        second = push(registry, tmp_path, "1.10.0", "stable")
        with Visitor(stack) as visitor:
            assert "shop: 1.10.0 is available" in stack.command("check", "shop").stdout
            # Pushed after the question was answered: what was confirmed is what is deployed.
            push(registry, tmp_path, "1.11.0", "stable")
            deployed = stack.command("deploy", "shop", "--ref", second, "--wait")
            assert deployed.returncode == 0, deployed.stdout + deployed.stderr
            assert stack.wait_ended(stack.rollback()["id"])["state"] == "live"
            refused = stack.command("deploy", "shop", "--ref", "v9", "--wait")
        assert visitor.failures == []
        assert visitor.releases == {"1.9.0", "1.10.0"}
        assert refused.returncode == 1
        assert "has no tag or digest 'v9'" in refused.stdout + refused.stderr

        fitting = push(registry, tmp_path, "1.15.0", "v1.4.0", "v2.0.0", "v1.16.0-rc.1", "latest", "v1.15.0")
        stack.set_config(CONFIG.format(host=registry.host, follows='version_range: ">=1.2,<2"'))
        assert stack.deploy()["state"] == "live"
        active = stack.app()["active"]
        assert (active["version"], active["revision"]) == ("v1.15.0", fitting)
