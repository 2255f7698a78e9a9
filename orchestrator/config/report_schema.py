"""The section `report` of an app: which forge is told what became of a commit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import field_validator

from orchestrator.config.section import AskedServer, ReadFile, Section, Unit
from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.domain.encryption import may_be_sent_to

_REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)+", re.ASCII)
_SSH = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/@]+):(?!//)(?P<path>.+)")
GITHUB = "https://api.github.com"
PATHS = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1", "forgejo": "/api/v1"}
"""Where the API is on a server of one's own."""


class Report(Section):
    """Telling the forge what became of a commit that was deployed: its status is pending, then success or failure."""

    kind: Annotated[Literal["github", "gitlab", "gitea", "forgejo"], Unit("`github`, `gitlab`, `gitea` or `forgejo`")]
    """The kind of the forge. Example: forgejo"""
    token_file: Annotated[str, Unit("path"), ReadFile()]
    """A file beside the configuration file with nothing but a token that may write the status of commits. Example:
    secrets/forge-status"""
    api_url: Annotated[str | None, Unit("URL"), AskedServer()] = None
    """The address of the forge's API; when not set, that of the server of `update.git.remote`. The token is sent there,
    encrypted. Example: https://git.example.com/api/v1"""
    repository: Annotated[str | None, Unit("owner/name")] = None
    """The repository at the forge; when not set, that of `update.git.remote`. Example: team/shop"""
    link: Annotated[str | None, Unit("URL")] = None
    """Where the status leads whoever clicks on it, such as the panel; nowhere when not set. Example:
    https://panel.example.com"""

    @field_validator("api_url")
    @classmethod
    def _token_is_sent_encrypted(cls, value: str | None) -> str | None:
        if value is None:
            return None
        address = urlsplit(value)
        if not may_be_sent_to(value) or not address.hostname or address.username or address.query or address.fragment:
            raise ValueError("expected an https:// URL without credentials, such as https://git.example.com/api/v1")
        return value.rstrip("/")

    @field_validator("link")
    @classmethod
    def _link_is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s/?#@]+[^\s]*", value):
            raise ValueError("expected a URL, such as https://panel.example.com")
        return value

    @field_validator("repository")
    @classmethod
    def _repository_is_a_path(cls, value: str | None) -> str | None:
        if value is not None and (not _REPOSITORY.fullmatch(value) or ".." in value.split("/")):
            raise ValueError("expected the owner and the name of a repository, such as team/shop")
        return value


class _App(Protocol):
    @property
    def update(self) -> UpdatePolicy: ...
    @property
    def report(self) -> Report | None: ...


def of_report(app: _App) -> Iterator[tuple[str, str]]:
    """Keys of a report that cannot work, each with what to do."""
    if (report := app.report) is None:
        return
    if app.update.source != "git":
        yield "report", "only commits have a status, so that it needs 'update.source: git'; remove this section"
        return
    if not repository_of(report, app.update):
        yield "report", "the remote names no repository of a forge; set 'repository', such as team/shop"
    if not api_of(report, app.update):
        yield "report", "the remote names no server; set 'api_url', such as https://git.example.com/api/v1"


def repository_of(report: Report, update: UpdatePolicy) -> str:
    """`owner/name`; empty if nothing says it."""
    path = _server_and_path(update.git.remote)[1].strip("/").removesuffix(".git")
    return report.repository or (path if _REPOSITORY.fullmatch(path) else "")


def api_of(report: Report, update: UpdatePolicy) -> str:
    """The address of the API; empty if nothing says it."""
    server = _server_and_path(update.git.remote)[0]
    if report.api_url or not server:
        return report.api_url or ""
    if report.kind == "github" and server == "github.com":
        return GITHUB
    return f"https://{server}{PATHS[report.kind]}"


def _server_and_path(remote: str) -> tuple[str, str]:
    """The server of a remote, with its port if it is one of https, and the path there. Empty for a path on the host."""
    address = urlsplit(remote)
    if address.scheme in ("http", "https"):
        return address.netloc.rpartition("@")[2], address.path
    if address.scheme in ("ssh", "git+ssh", "ssh+git") and address.hostname:
        return address.hostname, address.path
    match = None if address.scheme and "//" in remote else _SSH.fullmatch(remote)
    return (match["host"], match["path"]) if match else ("", "")
