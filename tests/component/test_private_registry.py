"""An image that not everybody may fetch: found and fetched with the password, by Debian's docker-registry."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from border.secrets import Secrets
from orchestrator.config.registry_login import RegistryLogin, login_of
from orchestrator.config.source_schema import RegistrySource
from orchestrator.engine.docker.image_build import build_image
from orchestrator.engine.image_build import ImageBuild
from orchestrator.errors import StepFailed
from orchestrator.sources.registry import RegistryImages
from tests.support.images import PREFIX, build_folder
from tests.support.registry import PASSWORD, USER, Registry

BUILT = f"{PREFIX}/private:built"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with Registry(folder, private=True) as running:
        yield running
    subprocess.run(["docker", "rmi", BUILT], capture_output=True)


async def test_a_private_image_is_fetched_with_the_password_and_without_it_not(
    tmp_path: Path, registry: Registry
) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "Dockerfile").write_text(f"FROM scratch\nLABEL of={secrets.token_hex()}\nCOPY Dockerfile /\n")
    digest = registry.push(build_folder("private", tmp_path / "image"), "shop:latest")
    (tmp_path / "password").write_text(PASSWORD)
    section = {"image": f"{registry.host}/shop", "insecure": True, "username": USER, "password_file": "password"}
    settings = RegistrySource.model_validate(section)
    source = RegistryImages(settings, tmp_path)

    assert (await source.newest()).release.source_revision == digest
    await source.fetch(digest, tmp_path / "tree")

    async def built(login: RegistryLogin | None) -> str:
        tree, said = tmp_path / "tree", list[str]()
        image = ImageBuild(tree, tree / "Dockerfile", BUILT, 120, login=login)
        found = await build_image(image, said.append, Secrets())
        assert PASSWORD not in str(said)
        return found

    with pytest.raises(StepFailed, match="The build failed"):
        await built(None)
    assert (await built(login_of(settings, tmp_path))).startswith("sha256:")
