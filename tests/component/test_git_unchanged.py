"""A check of a Git server that has nothing new is one request, and whatever has changed there is fetched."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from border.secrets import Secrets
from orchestrator.config.source_schema import GitSource
from orchestrator.sources.git import GitRepository
from tests.support.git_server import GitServer
from tests.support.repository import Repository

TOKEN = "token-of-the-forge"
ASK = "/shop.git/git-upload-pack"


class Shop:
    """A repository that is pushed to `served/shop.git`, and a source that follows it there."""

    def __init__(self, folder: Path, server: GitServer, **settings: Any) -> None:
        content = folder / "content"
        content.mkdir()
        (content / "Dockerfile").write_text("FROM scratch\n")
        self.repository = Repository(folder / "repository", content)
        self.bare = folder / "served" / "shop.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", str(self.repository.path), str(self.bare)], check=True)
        self.repository.git("remote", "add", "origin", str(self.bare))
        self.mirror = folder / "mirror.git"
        (folder / "token").write_text(TOKEN)
        self.server = server
        self.source = self.another(folder, **settings)

    def another(self, folder: Path, **settings: Any) -> GitRepository:
        found = GitSource(remote=f"{self.server.url}/shop.git", token_file="token", **settings)
        return GitRepository(found, self.mirror, folder, known_secrets=Secrets(), beside=folder)

    def push(self, *arguments: str) -> None:
        self.repository.git("push", "--quiet", "--force", "origin", *arguments)

    async def newest(self) -> tuple[str, str]:
        release = (await self.source.newest()).release
        return release.version, release.source_revision

    async def asked(self) -> list[str]:
        """What a check asks the server for."""
        before = len(self.server.paths)
        await self.source.newest()
        return self.server.paths[before:]


@pytest.fixture
def served(tmp_path: Path) -> Path:
    (tmp_path / "served").mkdir()
    return tmp_path / "served"


@pytest.mark.parametrize("follows", [{}, {"branch": "main"}, {"tags": "v*"}])
async def test_a_check_without_anything_new_is_one_request(
    tmp_path: Path, served: Path, follows: dict[str, str]
) -> None:
    with GitServer(served, TOKEN) as server:
        shop = Shop(tmp_path, server, **follows)
        first = await shop.newest()

        assert await shop.asked() == [ASK]
        assert await shop.newest() == first

        before = len(server.paths)
        await shop.source.versions()
        await shop.source.newest()
        assert server.paths[before:] == [ASK, ASK]


@pytest.mark.parametrize("branch", [{}, {"branch": "main"}])
async def test_whatever_changes_at_the_server_is_found(tmp_path: Path, served: Path, branch: dict[str, str]) -> None:
    with GitServer(served, TOKEN) as server:
        shop = Shop(tmp_path, server, **branch)
        opened = await shop.newest()

        second = shop.repository.commit("feat: second")
        shop.push("main")
        assert (await shop.newest())[1] == second
        assert await shop.asked() == [ASK]

        shop.repository.git("tag", "v2.0.0")
        shop.push("v2.0.0")
        assert await shop.newest() == ("v2.0.0", second)

        # Back to what was there before, after which nothing tells it from what was asked first.
        shop.push(f"{opened[1]}:main", ":v2.0.0")
        assert await shop.newest() == opened
        shop.push("main", "v2.0.0")
        assert await shop.newest() == ("v2.0.0", second)


async def test_another_default_branch_is_found(tmp_path: Path, served: Path) -> None:
    with GitServer(served, TOKEN) as server:
        shop = Shop(tmp_path, server)
        await shop.newest()
        shop.repository.git("switch", "--quiet", "--create", "next")
        commit = shop.repository.commit("feat: next")
        shop.push("next")
        assert (await shop.newest())[1] != commit

        (shop.bare / "HEAD").write_text("ref: refs/heads/next\n")

        assert (await shop.newest())[1] == commit


def _without_mirror(shop: Shop, _folder: Path) -> None:
    shutil.rmtree(shop.mirror)


def _afresh(shop: Shop, _folder: Path) -> None:
    shop.source.forget()


def _next_process(shop: Shop, folder: Path) -> None:
    shop.source = shop.another(folder)


@pytest.mark.parametrize("happens", [_without_mirror, _afresh, _next_process])
async def test_it_is_fetched_when_the_mirror_is_not_known_and_when_that_is_wanted(
    tmp_path: Path, served: Path, happens: Callable[[Shop, Path], None]
) -> None:
    with GitServer(served, TOKEN) as server:
        shop = Shop(tmp_path, server)
        first = await shop.newest()

        happens(shop, tmp_path)

        assert len(await shop.asked()) > 1
        assert await shop.newest() == first
        assert (shop.mirror / "HEAD").exists()


async def test_a_server_of_the_first_protocol_is_asked_by_git_alone(tmp_path: Path, served: Path) -> None:
    with GitServer(served, TOKEN, is_old=True) as server:
        shop = Shop(tmp_path, server)
        await shop.newest()
        asked_in_vain = await shop.asked()

        assert asked_in_vain[0] == ASK
        assert ASK not in await shop.asked()
        commit = shop.repository.commit("feat: second")
        shop.push("main")
        assert (await shop.newest())[1] == commit


async def test_a_commit_that_was_just_fetched_is_deployed_without_another_fetch(tmp_path: Path, served: Path) -> None:
    with GitServer(served, TOKEN) as server:
        shop = Shop(tmp_path, server)
        version, commit = await shop.newest()
        before = len(server.paths)

        found = await shop.source.newest(commit)
        await shop.source.fetch(commit, tmp_path / "tree")

        assert (found.release.version, found.release.source_revision) == (version, commit)
        assert server.paths[before:] == []
        assert (tmp_path / "tree" / "Dockerfile").exists()
