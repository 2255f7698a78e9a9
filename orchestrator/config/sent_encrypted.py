"""Keys whose credentials are not sent to the address beside them, or are of no use there."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.config.app_schema import App
from orchestrator.domain.encryption import may_be_sent_to
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
