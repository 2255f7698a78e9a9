"""The section `update`: the source of an app's updates, and what an update may do.

The panel has this section at the top level, every other app below its name.
"""

from __future__ import annotations

import posixpath
import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from orchestrator.config.section import MOST, NoEffectYet, Seconds, Section, Unit
from orchestrator.domain.source_names import is_ref, why_no_remote

EXAMPLE_REMOTE = "https://git.example.com/shop.git"


_PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
"""A name of PEP 508; PyPI has none that is longer."""


class GitSource(Section):
    """A Git repository as the source of updates."""

    remote: Annotated[str, Unit("URL, path or name")] = "."
    """The repository: a URL, a path in the orchestrator's container, the name of a remote of the checkout, or `.` for
    the checkout that `compose.yaml` is in. Differs from the original specification (`origin`), because a new
    installation then works without a remote. Example: https://git.example.com/shop.git"""
    branch: Annotated[str | None, Unit("branch or tag")] = None
    """The branch or tag to deploy; the remote's default branch when not set. Differs from the original specification
    (`main`), because the default branch has another name in many repositories. Example: main"""
    path: Annotated[str, Unit("path in the repository")] = "."
    """The folder that is built. Only commits that change this folder are updates of the app. Example: services/shop"""
    auto_fetch: Annotated[bool, NoEffectYet("update.check_on_startup sets whether the source is checked at start")] = (
        True
    )
    """Fetch from the remote at start. Example: false"""
    fetch_interval: Annotated[
        Seconds, NoEffectYet("update.background_check.interval sets the time between two checks")
    ] = 3600
    """Time between two fetches. Example: 900"""

    @field_validator("remote")
    @classmethod
    def _remote_is_no_option(cls, value: str) -> str:
        if why := why_no_remote(value):
            raise ValueError(f"expected a URL, a path or the name of a remote, such as {EXAMPLE_REMOTE}: {why}")
        return value

    @field_validator("branch")
    @classmethod
    def _branch_is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not is_ref(value):
            raise ValueError("expected the name of a branch or tag, such as main")
        return value

    @field_validator("path")
    @classmethod
    def _path_is_in_the_repository(cls, value: str) -> str:
        if value.startswith(("/", ":")) or ".." in value.split("/") or "\0" in value:
            raise ValueError("expected a path in the repository, without '..', such as services/shop")
        # Git takes no empty path, and everybody else compares with the shortest form of the root.
        return "." if posixpath.normpath(value or ".") == "." else value


class PypiSource(Section):
    """A package on a Python package index as the source of updates."""

    package_name: Annotated[str, Unit("name")]
    """The package to install. Differs from the original specification (`control-panel`), because any app can have this
    source. Example: control-panel"""
    index_url: Annotated[str | None, Unit("URL")] = None
    """The package index, as pip takes it (PEP 503, PEP 691); that of pypi.org when not set. Example:
    https://index.example.com/simple/"""
    pre_release: bool = False
    """Offer pre-releases too. Example: true"""
    command: Annotated[tuple[str, ...] | None, Unit("list of words")] = None
    """The command of the image that is made around the package; the package's own command when not set. A source
    distribution with a Dockerfile is not built then. Example: [datasette, serve, -h, 0.0.0.0]"""
    python: Annotated[str | None, Unit("version")] = None
    """The Python of that image: it is made from `python:VERSION-slim`; from `debian:trixie-slim` with its Python 3.13
    when not set. Example: "3.12\""""

    @field_validator("package_name")
    @classmethod
    def _package_is_a_name(cls, value: str) -> str:
        if not _PACKAGE.fullmatch(value):
            raise ValueError("expected the name of one package, without version or extras, such as datasette")
        return value

    @field_validator("index_url")
    @classmethod
    def _index_is_a_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~/%+-]*)?", value):
            raise ValueError(
                "expected a URL without credentials, such as https://index.example.com/simple/, of letters, digits and "
                "the characters . _ ~ / % + -"
            )
        return value

    @field_validator("command")
    @classmethod
    def _command_has_a_program(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and not (value and value[0]):
            raise ValueError("expected a list that begins with a program, such as [datasette, serve]")
        return value

    @field_validator("python")
    @classmethod
    def _python_is_a_version(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"3\.\d{1,2}", value):
            raise ValueError('expected a version of Python in quotation marks, such as "3.12"')
        return value


class UrlSource(Section):
    """A manifest and an archive on a web server as the source of updates."""

    manifest_url: Annotated[str, Unit("URL")]
    """The JSON file that names the newest version, or several; see [archives.md](archives.md). Example:
    https://example.com/shop/manifest.json"""
    download_url: Annotated[str, Unit("URL")]
    """The archive of a version; `{version}` is replaced by it. Example: https://example.com/shop/{version}.tar.gz"""
    public_key: Annotated[str | None, Unit("path")] = None
    """The public key of [minisign](https://jedisct1.github.io/minisign/) that archives must be signed with, in a file
    beside the configuration file; signatures are not looked at when not set. Example: secrets/minisign.pub"""

    @field_validator("manifest_url", "download_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        if not re.match(r"https?://[^/\s]", value):
            raise ValueError("expected a URL with https:// or http://, such as https://example.com/shop/manifest.json")
        return value

    @field_validator("download_url")
    @classmethod
    def _is_of_each_version(cls, value: str) -> str:
        if "{version}" not in value:
            raise ValueError("expected {version} in it, such as https://example.com/shop/{version}.tar.gz")
        return value


class BackgroundCheck(Section):
    """Checks for updates while the orchestrator runs."""

    enabled: bool = True
    """Check for updates at an interval, not only at start. Example: false"""
    interval: Seconds = 3600
    """Time between two checks. Example: 900"""
    notify: Annotated[bool, NoEffectYet("notifications are not implemented; the panel always shows a known update")] = (
        True
    )
    """Send a notification when a background check finds an update. Example: false"""


class Backup(Section):
    """Backups before an update."""

    create_before_update: bool = True
    """Back up an app that has data before each of its updates. Differs from the original specification (which copies
    the code too), because the images of earlier releases are kept. Example: false"""
    keep_backups: Annotated[int, Field(ge=1, le=MOST), Unit("backups")] = 5
    """How many backups of the app are kept, those made by hand included; older ones are removed after a new one is
    complete. In addition, the first one of each of so many last days is kept, and a backup that is the only way back to
    the standby. One made before a deployment that failed and did not change the data is not counted, and only the
    newest of these is kept. Example: 10"""
    backup_location: Annotated[str | None, Unit("path on the host")] = None
    """The folder of the host that backups are written to; `~` is the home folder of the user who ran `make up`. The
    Docker volume `changeover-backups` when not set. Differs from the original specification
    (`~/.control-panel/backups`), because a volume needs no folder that the user must create and protect. Example:
    /srv/backups"""

    @field_validator("backup_location")
    @classmethod
    def _location_is_a_folder_of_the_host(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("/", "~/")):
            raise ValueError("expected an absolute path on the host, such as /srv/backups or ~/backups")
        return value


class Migrations(Section):
    """Migrations of the app's data during an update."""

    enabled: bool = True
    """Run the commands of `migrate`. When false, updates neither ask for nor run migrations. Example: false"""
    auto_run: bool = True
    """Run pending migrations automatically. When false, an update with pending migrations fails before it runs them,
    unless it is started with `changeover deploy APP --migrate`. Example: false"""
    backup_before_migration: bool = True
    """Back up before an update that runs migrations, when `backup.create_before_update` is false. Differs from the
    original specification (a backup before each migration), because all pending migrations of an update belong
    together and are undone together. Example: false"""


class Rollback(Section):
    """Rollbacks, and the undo of failed updates."""

    enabled: bool = True
    """Allow rollbacks to the standby. Differs from the original specification (which also switches off the undo of a
    failed update), because the steps of a failed update must always be compensated. Example: false"""
    auto_rollback_on_failure: bool = True
    """Remove the candidate container of a failed update. When false, it is kept, stopped, until the next deployment, so
    that it can be examined. Differs from the original specification (restore code, data and configuration after a
    failure), because traffic and data are always taken back to the previous release. Example: false"""
    max_rollback_attempts: Annotated[int, Field(ge=1, le=1000), Unit("attempts")] = 3
    """How often the undo of each step of a failed update is tried. Example: 5"""


class UpdatePolicy(Section):
    """The source of updates, when to check for them, and what an update may do."""

    enabled: bool = True
    """Check for updates at start and in the background. When false, the source is checked only by `changeover check`,
    `changeover deploy` and the panel's keys. Example: false"""
    source: Annotated[Literal["git", "pypi", "url"], Unit("`git`, `pypi` or `url`")] = "git"
    """The kind of source. Example: git"""
    git: GitSource = GitSource()
    pypi: PypiSource | None = None
    url: UrlSource | None = None
    check_on_startup: bool = True
    """Check for updates when the orchestrator starts. Example: false"""
    notify_on_update: Annotated[
        bool, NoEffectYet("notifications are not implemented; the panel always shows a known update")
    ] = True
    """Send a notification when an update is found. Example: false"""
    auto_update: bool = False
    """Deploy an update as soon as a check finds it, if a release of the app is live and no other is being deployed. A
    release that failed, was rolled back or was cancelled by a person is not deployed again by itself. When false, a
    person or a program starts each deployment. Example: true"""
    background_check: BackgroundCheck = BackgroundCheck()
    backup: Backup = Backup()
    migrations: Migrations = Migrations()
    rollback: Rollback = Rollback()

    @property
    def followed(self) -> GitSource | PypiSource | UrlSource | None:
        """The section of the source that is followed; None if a source is named without its section."""
        return {"git": self.git, "pypi": self.pypi, "url": self.url}[self.source]

    @property
    def repository(self) -> GitSource | None:
        """The repository that releases come from; None with another kind of source."""
        return self.git if self.source == "git" else None

    @property
    def built_path(self) -> str:
        """The folder of a fetched source that is built."""
        return self.git.path if self.source == "git" else "."
