"""Keys whose credentials are not sent to the address beside them, are of no use there, or can be read on the way."""

from __future__ import annotations

from collections.abc import Iterator

from border.urls import credentials_in
from orchestrator.config.app_schema import App
from orchestrator.config.schema import PANEL, Config
from orchestrator.domain.encryption import may_be_sent_to
from orchestrator.domain.image_name import image_name
from orchestrator.domain.source_names import is_ssh


def why_not_sent(app: App) -> Iterator[tuple[str, str]]:
    """The keys of the source that is followed whose credentials are not sent to its address, each with what to do. What
    only Git knows, such as the address of a remote of the checkout, is judged when it is asked."""
    update = app.update
    if update.source == "git":
        yield from _of_git(update.git.remote, update.git.token_file, update.git.key_file)
    pypi = update.pypi if update.source == "pypi" else None
    if pypi and pypi.credentials_file and pypi.index_url and not may_be_sent_to(pypi.index_url):
        yield (
            "update.pypi.credentials_file",
            "the password is not sent: update.pypi.index_url is no https:// URL. Set update.pypi.index_url "
            "to one, or remove credentials_file",
        )


def _of_git(remote: str, token_file: str | None, key_file: str | None) -> Iterator[tuple[str, str]]:
    if token_file and ("/" in remote.strip("./") or is_ssh(remote)) and not may_be_sent_to(remote):
        yield (
            "update.git.token_file",
            "the token is not sent: the remote is no https:// URL. Set update.git.remote to that of the repository, or "
            "remove token_file",
        )
    if key_file and "://" in remote and not is_ssh(remote):
        yield (
            "update.git.key_file",
            "the key is not used: the remote is not reached by SSH. Set update.git.remote to the repository's address "
            "by SSH, such as git@git.example.com:shop.git, or remove key_file",
        )


def sent_in_the_open(config: Config) -> Iterator[tuple[tuple[str, ...], str]]:
    """The keys by which somebody has chosen to send a password without encryption: it is sent, and that is told."""
    for name, app in config.all_apps().items():
        at = () if name == PANEL else ("apps", name)
        for key, says in _in_the_open(app):
            yield (*at, "update", *key), says


def _in_the_open(app: App) -> Iterator[tuple[tuple[str, str], str]]:
    update = app.update
    git, url, registry = update.git, update.url, update.registry
    token = "name an https:// URL, and the token in update.git.token_file"
    addresses = [(("git", "remote"), git.remote, token)]
    if url:
        asked = (("manifest_url", url.manifest_url), ("download_url", url.download_url))
        addresses += [(("url", key), address, "name an https:// URL") for key, address in asked]
    for key, address, instead in addresses:
        has_password = bool(credentials_in(address.partition("?")[0]))
        if address[:7].lower() == "http://" and has_password and not may_be_sent_to(address):
            yield key, f"its password is sent without encryption, and can be read on the way: {instead}"
    if registry and registry.insecure and registry.username and registry.password_file:
        host = image_name(registry.image).host
        if not may_be_sent_to(f"http://{host}/"):
            says = (
                f"the password of {registry.username} is sent to {host} without encryption, and can be read on the way"
            )
            yield ("registry", "insecure"), f"{says}: let the registry answer by https, or remove the password"
