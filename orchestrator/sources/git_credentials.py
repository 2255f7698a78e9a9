"""Credentials for a Git remote: a token, as forges give it for reading a private repository, or a key of SSH."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from border.secrets import Secrets
from orchestrator.config.secret_file import SecretUnreadable, read_secret
from orchestrator.config.source_schema import GitSource
from orchestrator.domain.encryption import may_be_sent_to
from orchestrator.domain.source_names import is_ssh
from orchestrator.errors import StepFailed
from orchestrator.sources.git_ssh import ssh_environment

USER = "x-access-token"
"""GitHub wants this name beside a token; GitLab, Gitea and Forgejo take any."""
HEADER = "GIT_CONFIG_VALUE_0"


@contextmanager
def credentials(settings: GitSource, folder: Path, remote: str, known_secrets: Secrets) -> Iterator[Mapping[str, str]]:
    """The environment in which git is let in by the remote. `folder` is the configuration file's.

    Raises StepFailed when a file with credentials is missing or cannot be read, or is not for such a remote.
    """
    token = token_environment(settings.token_file, folder, remote, known_secrets)
    if is_ssh(remote):
        with ssh_environment(settings, folder, remote, known_secrets) as environment:
            yield environment
    elif settings.key_file:
        raise StepFailed(
            "The key of update.git.key_file is not used: the remote is not reached by SSH.",
            "Set update.git.remote to the repository's address by SSH, such as git@git.example.com:shop.git, or remove "
            "key_file.",
        )
    else:
        yield token


def authorization(settings: GitSource, folder: Path, remote: str, known_secrets: Secrets) -> str:
    """The header by which the server of the remote lets in who has the token; empty without one. Raises StepFailed."""
    environment = token_environment(settings.token_file, folder, remote, known_secrets)
    return environment.get(HEADER, "").removeprefix("Authorization: ")


def token_environment(token_file: str | None, folder: Path, remote: str, known_secrets: Secrets) -> dict[str, str]:
    """The environment in which git sends the token to the remote's server, and to no other one. `folder` is the
    configuration file's.

    Not in a URL or a command line, which others can read. Raises StepFailed when the file cannot be read, or the remote
    is one that a token must not be sent to.
    """
    if token_file is None:
        return {}
    try:
        token = read_secret(folder, token_file)
    except SecretUnreadable as error:
        raise StepFailed(error.cause, error.remedy) from error
    if not may_be_sent_to(remote):
        raise StepFailed(
            "The token of update.git.token_file is not sent: the remote is no https:// URL.",
            "Set update.git.remote to the https:// URL of the repository, or remove token_file.",
        )
    address = urlsplit(remote)
    credentials = base64.b64encode(f"{USER}:{token}".encode()).decode()
    known_secrets.know({token, credentials})
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"http.{address.scheme}://{address.netloc}/.extraHeader",
        HEADER: f"Authorization: Basic {credentials}",
        # git asks the server that it was led to with the headers of the one that led there.
        "GIT_CONFIG_KEY_1": "http.followRedirects",
        "GIT_CONFIG_VALUE_1": "false",
    }
