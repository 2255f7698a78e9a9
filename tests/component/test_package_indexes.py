"""A package on pypiserver, with and without a password, and on the index that the machine is configured with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from border.secrets import Secrets
from orchestrator.config.source_schema import PypiSource
from orchestrator.errors import StepFailed
from orchestrator.sources.pypi import PackageReleases
from orchestrator.sources.web import Web
from tests.support.package_index import server_wheel
from tests.support.pypi_server import PASSWORD, USER, PypiServer

HERE = f"machine 127.0.0.1 login {USER} password {PASSWORD}\n"


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    for version in ("1.9", "1.10", "1.11rc1"):
        (folder / f"shop-{version}-py3-none-any.whl").write_bytes(server_wheel("shop", version))
    return folder


@pytest.fixture
def private(packages: Path) -> Iterator[PypiServer]:
    with PypiServer(packages, private=True) as running:
        yield running


def shop(folder: Path, known: Secrets | None = None, environment: dict[str, str] | None = None, **more: Any) -> Any:
    section = PypiSource.model_validate({"package_name": "shop", **more})
    return PackageReleases(section, Web(pause_s=0.0), folder, known, environment or {})


async def test_a_package_of_pypiserver_is_found_and_fetched(packages: Path, tmp_path: Path) -> None:
    with PypiServer(packages) as running:
        releases = shop(tmp_path, index_url=f"{running.url}/simple/")

        found = await releases.newest()
        await releases.fetch("1.9", tmp_path / "fetched")

    assert found.release.version == "1.10"
    name = "shop-1.9-py3-none-any.whl"
    assert (tmp_path / "fetched" / "dist" / name).read_bytes() == (packages / name).read_bytes()


async def test_a_private_index_is_asked_with_the_password_which_is_a_secret_and_in_no_file(
    private: PypiServer, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text(HERE)
    known = Secrets()
    releases = shop(tmp_path, known, index_url=f"{private.url}/simple/", credentials_file="netrc")

    found = await releases.newest()
    await releases.fetch("1.10", tmp_path / "fetched")

    assert found.release.version == "1.10"
    assert PASSWORD not in await releases.origin()
    assert known.text(f"said {PASSWORD}") == known.text("said [hidden]")
    for file in (tmp_path / "fetched").rglob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes()


@pytest.mark.parametrize("content", ["", HERE.replace(PASSWORD, "another-one")])
async def test_without_the_password_or_with_another_one_the_index_says_nothing(
    private: PypiServer, tmp_path: Path, content: str
) -> None:
    (tmp_path / "netrc").write_text(content)
    file = "netrc" if content else None

    with pytest.raises(StepFailed, match="may not be read without credentials, or not with these"):
        await shop(tmp_path, index_url=f"{private.url}/simple/", credentials_file=file).newest()


@pytest.mark.parametrize("variable", ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"])
async def test_where_no_index_is_configured_the_machines_is_asked_also_with_its_password(
    private: PypiServer, tmp_path: Path, variable: str
) -> None:
    """As pip is configured with it: the password in the address, where nobody is to see it."""
    address = f"{private.url}/simple/".replace("://", f"://{USER}:{PASSWORD}@")
    releases = shop(tmp_path, environment={variable: address})

    found = await releases.newest()
    await releases.fetch("1.10", tmp_path / "fetched")

    assert found.release.version == "1.10"
    assert await releases.origin() == "shop on 127.0.0.1"
    dockerfile = (tmp_path / "fetched" / "Dockerfile").read_text()
    assert f"--default-index {private.url}/simple/ " in dockerfile
    assert f"--index-url {private.url}/simple/ " in dockerfile
    assert PASSWORD not in dockerfile
