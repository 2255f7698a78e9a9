"""One truth for a version: the command in a checkout has that of its commit, as the orchestrator names it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.sources.git_names import version_of
from panel.version import of_checkout, release


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=False)
    return done.stdout


@pytest.mark.parametrize("tags", [(), ("v1.2.3",), ("before-house",)])
async def test_it_is_the_version_that_a_deployment_of_the_same_commit_has(
    tmp_path: Path, tags: tuple[str, ...]
) -> None:
    git(tmp_path, "init", "-q")
    for number, tag in enumerate([*tags, ""]):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", f"commit {number}")
        if tag:
            git(tmp_path, "tag", tag)

    async def asked(*arguments: str, check: bool = True) -> str:
        return git(tmp_path, *arguments)

    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    assert of_checkout(tmp_path) == await version_of(asked, commit)
    assert commit[:7] in of_checkout(tmp_path)


def test_without_a_checkout_it_is_that_of_the_package(tmp_path: Path) -> None:
    assert of_checkout(tmp_path) == ""


def test_what_was_deployed_is_what_the_orchestrator_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_VERSION", "v1.2.3")

    assert release() == "v1.2.3"
