"""Every file that the configuration names is looked at by one rule: by a check, `validate`, `doctor` and `status`."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.config import loader
from orchestrator.config.__main__ import checked
from orchestrator.config.keys import every_key
from orchestrator.config.named_files import named_files, read_file, refuse_unread
from orchestrator.config.preflight import MOST_SAID, Deployable, preflight
from orchestrator.config.schema import PANEL
from orchestrator.config.secret_values import secret_values
from orchestrator.errors import StepFailed

KNOWN_HOSTS = {"known_hosts_file": "secrets/known", "key_file": "secrets/key"}
WEB = {"manifest_url": "https://x.test/m", "download_url": "https://x.test/{version}"}
SECTIONS: dict[str, dict[str, Any]] = {
    "update.git.token_file": {"update": {"git": {"remote": "https://git.test/shop"}}},
    "update.git.key_file": {"update": {"git": {"remote": "git@git.test:shop", **KNOWN_HOSTS}}},
    "update.git.known_hosts_file": {"update": {"git": {"remote": "git@git.test:shop", **KNOWN_HOSTS}}},
    "update.git.signed_by": {"update": {"git": {"remote": "https://git.test/shop"}}},
    "update.pypi.credentials_file": {
        "update": {"source": "pypi", "pypi": {"package_name": "shop", "index_url": "https://index.test/simple/"}}
    },
    "update.url.public_key": {"update": {"source": "url", "url": WEB}},
    "update.registry.password_file": {
        "update": {"source": "registry", "registry": {"image": "shop", "username": "ci"}}
    },
    "update.registry.cosign_key": {"update": {"source": "registry", "registry": {"image": "shop"}}},
    "push.secret_file": {"update": {"git": {"remote": "https://git.test/shop"}}, "push": {}},
    "report.token_file": {
        "update": {"git": {"remote": "https://git.test/me/shop"}},
        "report": {"kind": "gitea"},
    },
}
"""Each key that names a file, with what an app needs beside it. Files that stand here are there."""
OF_APPS_ALONE = ("report.token_file",)
BAD: dict[str, Callable[[Path], object]] = {
    "No such file or directory": lambda file: None,
    "it is empty": lambda file: file.write_text(" \n"),
    "it is not a regular file": lambda file: file.mkdir(),
    "leads out of the folder": lambda file: file.symlink_to("/etc/hostname"),
    "it is larger than": lambda file: file.write_bytes(b"x" * 70_000),
    "can't decode byte": lambda file: file.write_bytes(b"\xff\xfe"),
    "not a regular file": os.mkfifo,
}


def configured(key: str, file: str, app: str) -> str:
    """The configuration of an app, or of the panel, in which this key names this file."""
    section = yaml.safe_load(yaml.safe_dump(SECTIONS[key]))
    *path, name = key.split(".")
    at = section
    for part in path:
        at = at[part]
    at[name] = file
    if app == PANEL:
        return yaml.safe_dump(section)
    return yaml.safe_dump({"apps": {app: {"route": {"host": "shop.test"}, **section}}})


HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
PRIVATE_KEY = "\n".join(
    (
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        base64.b64encode(b"openssh-key-v1\0\0\0\0\4none" + bytes(100)).decode(),
        "-----END OPENSSH PRIVATE KEY-----",
    )
)
"""As far as it is looked at: its head. It is no key."""
GOOD = {
    "update.git.token_file": "the-token-of-the-forge",
    "update.git.key_file": PRIVATE_KEY,
    "update.git.known_hosts_file": f"git.test {HOST_KEY}",
    "update.git.signed_by": f'me@example.com namespaces="git" {HOST_KEY} of me',
    "update.pypi.credentials_file": "machine index.test login ci password the-password",
    "update.url.public_key": f"untrusted comment: x\n{base64.b64encode(b'Ed' + bytes(40)).decode()}",
    "update.registry.password_file": "the password of it",
    "update.registry.cosign_key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    "push.secret_file": "the content of it",
    "report.token_file": "the-token-of-the-forge",
}
"""What each of these files has, as far as it is looked at."""


def beside(folder: Path) -> Path:
    (folder / "secrets").mkdir()
    (folder / "secrets/key").write_text(PRIVATE_KEY)
    (folder / "secrets/known").write_text(f"git.test {HOST_KEY}\n")
    return folder / "secrets" / "named"


CASES = [(key, app) for key in SECTIONS for app in ("shop", PANEL) if not (app == PANEL and key in OF_APPS_ALONE)]


READ_OTHERWISE = ("run.env_file", "notify.url_file")
"""Files of several values, each with a reader and messages of its own (env_file.py, notify_urls.py)."""


def test_every_key_of_a_file_is_in_the_table_and_says_how_it_is_read() -> None:
    """A key by whose name a file is meant, and no other, is marked where it is declared."""
    named = {key.name: read_file(key.field) for key in every_key()}
    by_name = {
        name
        for name in named
        if name.endswith(("_file", ".signed_by", ".public_key", ".cosign_key")) and not name.endswith(READ_OTHERWISE)
    }

    assert {name for name, read in named.items() if read} == by_name
    assert {name.removeprefix("apps.NAME.") for name in by_name} == set(SECTIONS)


@pytest.mark.parametrize(("key", "app"), CASES)
@pytest.mark.parametrize("why", BAD)
async def test_a_file_that_cannot_be_used_is_told_at_once_by_everybody(
    tmp_path: Path, key: str, app: str, why: str
) -> None:
    file = beside(tmp_path)
    BAD[why](file)
    text = configured(key, "secrets/named", app)
    config = loader.parse(text, "c.yaml").config
    wanted = key if app == PANEL else f"apps.{app}.{key}"
    settings = config.app(app)
    assert settings is not None

    said = await preflight(config, tmp_path)
    (tmp_path / "c.yaml").write_text(text)
    without_orchestrator = (await asyncio.to_thread(checked, tmp_path / "c.yaml"))["problems"]

    assert len(said) == 1, said
    assert said[0].startswith(f"{wanted}: ")
    assert why in said[0]
    assert " secrets/named" in said[0]
    assert str(tmp_path) not in said[0], "the person knows the file as it is named"
    assert without_orchestrator == said
    status = Deployable(tmp_path).why_not(app, settings)
    if key.startswith("update."):
        assert [f"{wanted.removesuffix(key)}{one}" for one in status] == said
        with pytest.raises(StepFailed, match=f"^{key}: The "):
            refuse_unread(settings, tmp_path)
    else:
        assert status == [], "what is live can be deployed without pushes and reports"
        refuse_unread(settings, tmp_path)


@pytest.mark.parametrize(("key", "app"), CASES)
async def test_a_file_that_can_be_read_is_no_problem_and_its_secret_is_known(
    tmp_path: Path, key: str, app: str
) -> None:
    beside(tmp_path).write_text(f"{GOOD[key]}\n")
    config = loader.parse(configured(key, "secrets/named", app), "c.yaml").config
    settings = config.app(app)
    assert settings is not None

    assert await preflight(config, tmp_path) == []
    assert Deployable(tmp_path).why_not(app, settings) == []
    refuse_unread(settings, tmp_path)
    (named,) = [one for one in named_files(settings) if one.key == key]
    is_netrc = key == "update.pypi.credentials_file"  # its passwords are secrets: test_index_login.py
    assert (GOOD[key] in secret_values(config, tmp_path)) is (named.is_secret and not is_netrc)


async def test_files_of_a_source_that_is_not_followed_are_not_looked_for_and_stay_secret(tmp_path: Path) -> None:
    text = configured("update.url.public_key", "key.pub", "shop")
    shop = yaml.safe_load(text)
    (tmp_path / "token").write_text("of the former source\n")
    shop["apps"]["shop"]["update"]["git"] = {"token_file": "token", "key_file": "none"}
    (tmp_path / "key.pub").write_text(GOOD["update.url.public_key"])
    config = loader.parse(yaml.safe_dump(shop), "c.yaml").config

    assert await preflight(config, tmp_path) == []
    assert "of the former source" in secret_values(config, tmp_path)


async def test_a_panel_with_many_apps_has_no_more_said_than_others(tmp_path: Path) -> None:
    apps = {
        f"a{number}": {"route": {"path": f"/{number}"}, **SECTIONS["push.secret_file"], "push": {"secret_file": "none"}}
        for number in range(MOST_SAID + 1)
    }

    said = await preflight(loader.parse(yaml.safe_dump({"apps": apps}), "c.yaml").config, tmp_path)

    assert said[-1] == "and 1 more"
    assert "changeover push-secret a0" in said[0]
