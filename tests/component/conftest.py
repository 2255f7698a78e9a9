"""What tests of the proxy share: its image, its folder, and a container of it that is not started yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.images import build_image
from tests.support.proxy_container import ProxyContainer


@pytest.fixture(scope="session")
def proxy_image() -> None:
    build_image("proxy")


@pytest.fixture
def folder(tmp_path: Path, proxy_image: None) -> Path:
    """For the files of a proxy, which may be written by its user."""
    folder = tmp_path / "proxy"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def container(folder: Path) -> Iterator[ProxyContainer]:
    with ProxyContainer(folder) as container:
        yield container
