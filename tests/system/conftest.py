"""What tests on a real engine share: the images that they need, and stacks on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.images import build_image
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.shop import DATABASES, Shop, open_shop
from tests.support.stack import Stack, shop_config
from tests.support.whole_machine import Machine


@pytest.fixture
def large_mb(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--large-mb"))


@pytest.fixture(scope="session")
def proxy_image() -> None:
    """The proxy, and the orchestrator that sidecars run: built as `make up` builds them."""
    for target in ("proxy", "orchestrator"):
        build_image(target)


@pytest.fixture(scope="module", params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """What the shop of a test keeps its data in: tests that ask for this run on each of them."""
    return str(request.param)


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One machine for all tests that kill engines or fill disks: tests that use it are in its xdist_group."""
    with Machine(tmp_path_factory.mktemp("machine")) as running:
        yield running


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, proxy_image: None) -> Iterator[Shop]:
    """One stack for all tests of a module, each of which leaves it with a good release live."""
    with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A Git repository of its own, with the shop in it."""
    return Repository(tmp_path / "repository", ROOT / "examples" / "shop")


@pytest.fixture
def stack(tmp_path: Path, repository: Repository, proxy_image: None) -> Iterator[Stack]:
    """A running Changeover with the shop configured and not yet deployed."""
    with Stack(tmp_path, shop_config(repository.path)) as running:
        yield running
