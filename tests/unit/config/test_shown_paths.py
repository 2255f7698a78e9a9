"""A file that the configuration names is called by that name in every message, never by its path in a container.

The person knows `secrets/token`, beside the configuration file; `/source/secrets/token` is where the orchestrator's
container has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import orchestrator
from border.secrets import Secrets
from orchestrator.config import loader
from orchestrator.config.build_secret import BuildSecretUnreadable, build_secret
from orchestrator.config.env_file import EnvFileUnreadable, read_env_file_in
from orchestrator.config.index_login import login_of_index
from orchestrator.config.notify_urls import service_urls
from orchestrator.config.preflight import preflight
from orchestrator.config.schema import PANEL
from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.config.source_schema import GitSource
from orchestrator.errors import ChangeoverError, Refused, StepFailed
from orchestrator.pushes.secret import make_push_secret
from orchestrator.sources.git import GitRepository
from orchestrator.sources.git_mirror import CHECKOUT
from orchestrator.sources.signature import refuse_unsigned
from tests.unit.config.test_named_files import BAD, beside, configured

WRONG_ENV: dict[str, Callable[[Path], object]] = {**BAD, "not NAME=value": lambda file: file.write_text("no value\n")}
del WRONG_ENV["it is empty"], WRONG_ENV["it is larger than"], WRONG_ENV["can't decode byte"]
BELOW_A_FILE = "secrets/key/below"
SOME = [("update.git.token_file", "shop"), ("push.secret_file", "shop"), ("update.url.public_key", PANEL)]


def shows_no_path(says: str, folder: Path) -> bool:
    return str(folder) not in says


@pytest.mark.parametrize(("key", "app"), SOME)
async def test_a_file_below_a_file_does_not_exist(tmp_path: Path, key: str, app: str) -> None:
    beside(tmp_path)
    config = loader.parse(configured(key, BELOW_A_FILE, app), "c.yaml").config

    (said,) = await preflight(config, tmp_path)

    assert f"{BELOW_A_FILE} cannot be read: No such file or directory." in said


@pytest.mark.parametrize("why", WRONG_ENV)
@pytest.mark.parametrize("key", ["run.env_file", "build.secrets.npm"])
async def test_of_an_environment_file_and_a_build_secret_too(tmp_path: Path, key: str, why: str) -> None:
    WRONG_ENV[why](beside(tmp_path))
    app = {"route": {"host": "shop.test"}, "update": {"git": {"remote": "https://git.test/shop"}}}
    named = {"env_file": "secrets/named"} if key == "run.env_file" else {"secrets": {"npm": "secrets/named"}}
    text = yaml.safe_dump({"apps": {"shop": {**app, key.partition(".")[0]: named}}})

    said = await preflight(loader.parse(text, "c.yaml").config, tmp_path)

    assert len(said) == (0 if why == "not NAME=value" and key != "run.env_file" else 1)
    assert all(shows_no_path(one, tmp_path) and "secrets/named" in one for one in said), said


@pytest.mark.parametrize("text", ["no value\n", "A='\n", 'A="\\0', "A=\0\n", "x" * (1024 * 1024 + 1)])
def test_of_what_an_environment_file_has_too(tmp_path: Path, text: str) -> None:
    beside(tmp_path).write_text(text)

    with pytest.raises(EnvFileUnreadable) as refused:
        read_env_file_in(tmp_path, "secrets/named")

    assert shows_no_path(str(refused.value), tmp_path)
    assert "secrets/named" in str(refused.value)


@pytest.mark.parametrize("file", ["secrets/none", BELOW_A_FILE, "secrets", "../out", "secrets/loop"])
def test_every_reader_of_a_file_calls_it_by_its_name(tmp_path: Path, file: str) -> None:
    beside(tmp_path)
    (tmp_path / "secrets/loop").symlink_to("loop")
    readers = (
        lambda: read_env_file_in(tmp_path, file),
        lambda: build_secret(tmp_path, "npm", file),
        lambda: login_of_index(file, "https://index.test/", tmp_path),
        lambda: refuse_unsigned(tmp_path / "packed", "1.0", "", tmp_path, file),
        lambda: make_push_secret(tmp_path, file, "shop", replace=True),
    )
    for reader in readers:
        if file in ("secrets/none", "secrets/loop") and reader is readers[-1]:
            continue  # it is made, or written in the place of the link
        with pytest.raises((SecretUnreadable, EnvFileUnreadable, BuildSecretUnreadable, StepFailed, Refused)) as error:
            reader()
        assert isinstance(error.value, ChangeoverError)
        assert shows_no_path(str(error.value), tmp_path)
        assert file in str(error.value)
    assert all(file in one and shows_no_path(one, tmp_path) for one in service_urls(tmp_path, file).problems)


@pytest.mark.parametrize(
    ("remote", "shown"),
    [(".", CHECKOUT), ("./repositories/shop", "./repositories/shop"),
     ("../shop", "../shop"), ("upstream", f"{CHECKOUT} has no remote 'upstream'")],
)  # fmt: skip
async def test_a_repository_beside_the_configuration_file_is_called_as_it_is_there(
    tmp_path: Path, remote: str, shown: str
) -> None:
    checkout = tmp_path / "source"
    checkout.mkdir()
    (tmp_path / "shop").mkdir()
    (checkout / "repositories/shop").mkdir(parents=True)
    source = GitRepository(GitSource(remote=remote), tmp_path / "m.git", checkout, known_secrets=Secrets())

    with pytest.raises(StepFailed) as failed:
        await source.newest()

    assert shown in str(failed.value)
    assert shows_no_path(str(failed.value), tmp_path)
    assert shows_no_path("\n".join(failed.value.log), tmp_path)
    if remote != "upstream":
        assert await source.origin() == shown


PARTS = ("config", "sources", "pushes", "reports", "notices", "updates", "api", "doctor")


JOINED = re.compile(r"\{[\w.]+ / [\w.]+\}")
"""A text that is made with a path that is put together there, such as `{folder / file}`."""


def test_no_message_puts_a_path_together() -> None:
    root = Path(orchestrator.__file__).parent
    found = [
        f"{file.relative_to(root)}: {joined[0]}"
        for part in PARTS
        for file in (root / part).rglob("*.py")
        for joined in JOINED.finditer(file.read_text())
    ]

    assert found == []
