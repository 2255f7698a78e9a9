"""Credentials that are not sent, or are of no use, are told by `validate`, not first by a check."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config import loader
from orchestrator.config.__main__ import checked
from orchestrator.config.preflight import preflight
from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.domain.encryption import may_be_sent_to
from orchestrator.pushes.secret import push_secret

APP = "apps: {shop: {route: {host: shop.test}, %s}}\n"
TOKEN = "update: {git: {remote: '%s', token_file: t}}"
INDEX = "update: {source: pypi, pypi: {package_name: shop, index_url: '%s', credentials_file: t}}"


@pytest.mark.parametrize(
    ("written", "address", "says"),
    [
        (TOKEN, "http://git.test/shop", "update.git.token_file: the token is not sent: the remote is no https:// URL"),
        (TOKEN, "http://10.0.0.1/shop", "update.git.token_file: the token is not sent"),
        (TOKEN, "git://git.test/shop", "update.git.token_file: the token is not sent"),
        (TOKEN, "/srv/git/shop", "update.git.token_file: the token is not sent"),
        (TOKEN, "https://git.test/shop", ""),
        (TOKEN, "origin", ""),
        (TOKEN.replace("token_file", "key_file"), "https://git.test/shop", "update.git.key_file: the key is not used"),
        (INDEX, "http://index.test/simple/", "update.pypi.credentials_file: the password is not sent"),
        (INDEX, "https://index.test/simple/", ""),
    ],
)
async def test_credentials_that_are_not_sent_are_told(tmp_path: Path, written: str, address: str, says: str) -> None:
    (tmp_path / "t").write_text("machine index.test login ci password the-secret-token\n")
    config = loader.parse(APP % (written % address), "c.yaml").config

    said = [one for one in await preflight(config, tmp_path) if "is not sent" in one or "is not used" in one]

    assert len(said) == bool(says)
    assert not says or (said[0].startswith(f"apps.shop.{says}") and "Set update." in said[0])


GIT = "update: {git: {remote: '%s'}}"
MANIFEST = "update: {source: url, url: {manifest_url: '%s', download_url: 'https://x.test/{version}'}}"
REGISTRY = "update: {source: registry, registry: {image: '%s', insecure: true, username: ci, password_file: t}}"


@pytest.mark.parametrize(
    ("written", "address", "key"),
    [
        (GIT, "http://me:the-password@git.test/shop", "update.git.remote"),
        (GIT, "HTTP://the-password@git.test/shop", "update.git.remote"),
        (GIT, "http://git.test/shop", ""),
        (GIT, "http://git.test/shop@2", ""),
        (GIT, "http://me:the-password@127.0.0.1:3000/shop", ""),
        (GIT, "https://me:the-password@git.test/shop", ""),
        (GIT, "ssh://me:the-password@git.test/shop", ""),
        (MANIFEST, "http://me:the-password@x.test/m.json", "update.url.manifest_url"),
        (MANIFEST, "http://x.test/m.json", ""),
        (REGISTRY, "registry.test:5000/shop", "update.registry.insecure"),
        (REGISTRY, "127.0.0.1:5000/shop", ""),
        (REGISTRY.replace("username: ci, password_file: t", ""), "registry.test:5000/shop", ""),
        (REGISTRY.replace("insecure: true, ", ""), "registry.test:5000/shop", ""),
    ],
)
@pytest.mark.parametrize("is_panel", [False, True])
def test_a_password_that_somebody_chose_to_send_in_the_open_is_told(
    written: str, address: str, key: str, is_panel: bool
) -> None:
    text = f"{written % address}\n"
    loaded = loader.parse(text if is_panel else APP % text.strip(), "c.yaml")

    found = [one for one in loaded.notices if "without encryption" in one.says]
    assert [one.key for one in found] == ([f"{'' if is_panel else 'apps.shop.'}{key}"] if key else [])
    assert not any("the-password" in str(one) for one in found)
    assert all(one.line == 1 for one in found)


@pytest.mark.parametrize("length", [1, 3, 15, 16, 17])
def test_validate_and_pushes_have_one_limit_of_a_secret(tmp_path: Path, length: int) -> None:
    (tmp_path / "hook").write_text("x" * length + "\n")
    config = APP % "update: {git: {remote: 'https://git.test/shop'}}, push: {secret_file: hook}"
    (tmp_path / "c.yaml").write_text(config)

    said = checked(tmp_path / "c.yaml")["problems"]

    if length >= 16:
        assert said == []
        assert push_secret(tmp_path, "hook") == "x" * length
        return
    (problem,) = said
    assert problem.startswith("apps.shop.push.secret_file: ")
    assert "at least 16 characters" in problem
    assert "'changeover push-secret shop --replace' writes one" in problem
    assert str(length) in problem
    with pytest.raises(SecretUnreadable, match="can be guessed"):
        push_secret(tmp_path, "hook")


@pytest.mark.parametrize(
    ("url", "may"),
    [
        *((url, True) for url in ("https://x.test", "http://127.0.0.1:1", "http://[::1]/")),
        *((url, False) for url in ("http://x.test", "http://localhost.x.test", "ftp://localhost", "http://[", "")),
    ],
)
def test_where_secrets_may_be_sent(url: str, may: bool) -> None:
    assert may_be_sent_to(url) is may
