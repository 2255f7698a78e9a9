"""The guides of docs/guides, deployed as they stand, but for two names: the URL of the repository, and what the project
and the network of the database server are called."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.support import guide
from tests.support.guide import Guide
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import Stack

PAGES = sorted(path for path in (ROOT / "docs" / "guides").glob("*.md") if path.name != "README.md")
REMOTE = re.compile(r"https://git\.example\.com/[\w-]+\.git")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_files_of_a_guide_make_an_app_that_does_what_the_page_says(
    page: Path, tmp_path: Path, proxy_image: None
) -> None:
    told = guide.read(page)
    # The page's own name is for one who follows it, perhaps on this host: that server and its data are not ours.
    database = f"guide-{secrets.token_hex(4)}"
    (tmp_path / "files").mkdir()
    write(tmp_path / "files", told.repository())
    repository = Repository(tmp_path / "repository", tmp_path / "files")
    write(tmp_path, told.beside("secrets"))
    beside = {
        name: text.replace("name: database", f"name: {database}") for name, text in told.beside("database").items()
    }
    write(tmp_path, beside)
    text, replaced = REMOTE.subn(str(repository.path), told.configuration)
    sources = [app["update"].get("source", "git") for app in yaml.safe_load(text)["apps"].values()]
    assert replaced == sources.count("git")
    text = text.replace("networks: [database]", f"networks: [{database}]")
    assert ("database/compose.yaml" in beside) == (database in text)

    with beside_it(tmp_path, told), Stack(tmp_path, "disk: {min_free_mb: 100}\n" + text) as stack:
        for step in told.steps:
            if step.command[0] == "curl":
                url = urlsplit(step.command[1])
                answer = stack.ask(url.path, host=url.hostname or "")
                assert step.prints in answer.text, (step, answer.text)
            elif step.command[0] == "changeover":
                ended = stack.command(*step.command[1:])
                assert ended.returncode == 0, f"{step}\n{ended.stdout}{ended.stderr}"
                assert step.prints in ended.stdout
        problems = stack.command("validate", str(stack.config))
        assert problems.returncode == 0, problems.stdout


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@contextmanager
def beside_it(folder: Path, told: Guide) -> Iterator[None]:
    """What a page starts by Docker Compose, in a project and a network of this test alone."""
    started = [step.command for step in told.steps if step.command[:2] == ("docker", "compose")]
    for command in started:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    try:
        yield
    finally:
        if started:
            down = ("docker", "compose", "--project-directory", "database", "down", "--volumes", "--rmi", "local")
            subprocess.run(down, cwd=folder, check=True, capture_output=True)
