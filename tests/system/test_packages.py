"""An app from the name of a package alone: found on an index, installed, updated, rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.package_index import Served, StaticIndex, server_wheel
from tests.support.stack import Stack
from tests.support.visitor import Visitor

CONFIG = """
apps:
  shop:
    update: {{source: pypi, pypi: {{package_name: shop, index_url: {index}}}}}
    route: {{host: shop.test}}
"""


@pytest.fixture
def index() -> StaticIndex:
    found = StaticIndex()
    found.add("shop", "shop-1.9-py3-none-any.whl", server_wheel("shop", "1.9"))
    return found


@pytest.fixture
def stack(tmp_path: Path, index: StaticIndex, proxy_image: None) -> Iterator[Stack]:
    with Served(index.answer) as served, Stack(tmp_path, CONFIG.format(index=f"{served.url}/simple/")) as running:
        yield running


def test_a_package_is_installed_updated_and_rolled_back_while_it_is_used(stack: Stack, index: StaticIndex) -> None:
    """Its server listens on 127.0.0.1 alone, as most do when nothing else is said."""
    assert stack.deploy()["state"] == "live"
    assert stack.ask().json() == {"release": "1.9"}

    index.add("shop", "shop-1.10-py3-none-any.whl", server_wheel("shop", "1.10"))
    index.add("shop", "shop-2.0a1-py3-none-any.whl", server_wheel("shop", "2.0a1"))
    with Visitor(stack) as visitor:
        checked = stack.command("check", "shop")
        assert "shop: 1.10 is available" in checked.stdout
        assert "changeover deploy shop --ref 1.10 --wait" in checked.stdout
        deployed = stack.command("deploy", "shop", "--ref", "1.10", "--wait")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        assert stack.ask().json() == {"release": "1.10"}
        assert stack.wait_ended(stack.rollback()["id"])["state"] == "live"
        assert stack.ask().json() == {"release": "1.9"}

        index.yank("shop", "shop-1.10-py3-none-any.whl")
        refused = stack.command("deploy", "shop", "--ref", "1.10", "--wait")
        index.add("shop", "shop-1.11-py3-none-any.whl", b"no wheel at all")
        broken = stack.command("deploy", "shop", "--wait")
    assert visitor.failures == []
    assert visitor.releases == {"1.9", "1.10"}
    assert refused.returncode == 1
    assert "shop has no version '1.10' that can be installed with Python 3.13" in refused.stdout + refused.stderr
    assert broken.returncode == 1
    assert "shop-1.11-py3-none-any.whl is no package" in broken.stdout + broken.stderr
    assert stack.app()["active"]["version"] == "1.9"
