"""What tests share: the engine with the images they need, and stacks on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT, Repository, Stack, shop_config


@pytest.fixture(scope="session")
def proxy_image() -> None:
    """Built as `make up` builds it; a few milliseconds when nothing changed."""
    subprocess.run(
        ["docker", "buildx", "build", "--load", "--quiet", "--target", "proxy", "--tag", "changeover/proxy", str(ROOT)],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A Git repository of its own, with the shop in it."""
    return Repository(tmp_path / "repository", ROOT / "examples" / "shop")


@pytest.fixture
def stack(tmp_path: Path, repository: Repository, proxy_image: None) -> Iterator[Stack]:
    """A running Changeover with the shop configured and not yet deployed."""
    with Stack(tmp_path, shop_config(repository.path)) as running:
        yield running
