"""Credentials for a Git remote: a token, as forges give it for reading a private repository."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import urlsplit

from border.secrets import Secrets
from orchestrator.config.secret_file import SecretUnreadable, read_secret
from orchestrator.errors import StepFailed

USER = "x-access-token"
"""GitHub wants this name beside a token; GitLab, Gitea and Forgejo take any."""


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
    address = urlsplit(remote)
    is_here = address.hostname in ("localhost", "127.0.0.1", "::1")
    if address.scheme != "https" and not (address.scheme == "http" and is_here):
        raise StepFailed(
            "The token of update.git.token_file is not sent: the remote is no https:// URL.",
            "Set update.git.remote to the https:// URL of the repository, or remove token_file.",
        )
    credentials = base64.b64encode(f"{USER}:{token}".encode()).decode()
    known_secrets.know({token, credentials})
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"http.{address.scheme}://{address.netloc}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {credentials}",
        # git asks the server that it was led to with the headers of the one that led there.
        "GIT_CONFIG_KEY_1": "http.followRedirects",
        "GIT_CONFIG_VALUE_1": "false",
    }
