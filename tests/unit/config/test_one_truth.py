"""`changeover validate`, the file's reader and `status` say the same of a configuration."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from orchestrator.config import loader
from orchestrator.config.preflight import preflight, why_not_deployable
from orchestrator.config.watcher import ConfigFile
from orchestrator.config.yaml_text import MOST_BYTES
from orchestrator.errors import ConfigError

SHOP = "apps:\n  shop:\n    route: {host: shop.test}\n    update: {git: {remote: https://git.test/shop}}\n"
REFUSED = {
    "empty": "",
    "empty lines": "\n  \n",
    "not YAML": "apps: [\n",
    "a list": "- shop\n",
    "an unknown key": SHOP + "    rute: {}\n",
    "too large": f"# {'x' * MOST_BYTES}\n",
    "a merge conflict": f"<<<<<<< HEAD\n{SHOP}",
    "too little memory": SHOP + '    run: {memory: "128"}\n',
    "a carriage return": SHOP.replace("\n", "\r") + "\r<<<<<<< HEAD",
}


def in_use(folder: Path) -> ConfigFile:
    """A file whose settings are in use."""
    file = ConfigFile(folder / "c.yaml", folder / "kept.yaml")
    file.path.write_text(SHOP)
    file.accept(file.read())
    return file


@pytest.mark.parametrize("text", [*REFUSED.values(), SHOP, "apps: {}\n", "# nothing\n"])
def test_a_text_is_checked_as_the_file_is_read(tmp_path: Path, text: str) -> None:
    file = in_use(tmp_path)
    file.path.write_bytes(text.encode())

    says = []
    for ask in (file.read, lambda: file.check(text, "c.yaml")):
        try:
            ask()
            says.append("")
        except ConfigError as error:
            says.append(error.cause)

    assert says[0] == says[1]
    assert bool(says[0]) == (text in REFUSED.values())


@pytest.mark.parametrize("text", [SHOP.replace("shop", "till"), "apps: [", "apps: &a [*a]"])
def test_the_digest_is_that_of_the_file_as_soon_as_it_is_in_use_or_refused(tmp_path: Path, text: str) -> None:
    """It was told while the proxy still took the routes, when an app of the file was not known yet."""
    file = in_use(tmp_path)
    before = file.digest
    file.path.write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()

    try:
        read = file.read()
    except ConfigError as error:
        assert file.digest == before
        file.refuse(error.cause)
    else:
        assert file.digest == before
        file.accept(read)

    assert before != file.digest == digest


def test_an_empty_file_is_valid_where_nothing_is_in_use(tmp_path: Path) -> None:
    file = ConfigFile(tmp_path / "c.yaml", tmp_path / "kept.yaml")

    assert file.check("", "c.yaml").config.apps == {}


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("run: {env_file: gone.env}", "run.env_file: The environment file"),
        ("run: {env_file: ../outside.env}", "leads out of the folder"),
        ("run: {env_file: pipe}", "it is not a regular file"),
        ("build: {secrets: {token: gone}}", "build.secrets.token: The file"),
        ("build: {secrets: {token: ../outside.env}}", "leads out of the folder"),
        ("build: {secrets: {token: folder}}", "it is not a regular file"),
    ],
)
async def test_what_fails_a_deployment_is_found_before_it(tmp_path: Path, section: str, says: str) -> None:
    folder = tmp_path / "inside"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "outside.env").write_text("KEY=value\n")
    os.mkfifo(folder / "pipe")
    config = loader.parse(SHOP + f"    {section}\n", "c.yaml").config

    (found,) = why_not_deployable(config.apps["shop"], folder)

    assert says in found
    assert f"apps.shop.{found}" in await preflight(config, folder)
