"""The section `update`: the source of an app's updates, and what an update may do.

The panel has this section at the top level, every other app below its name.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from orchestrator.config.section import MOST, Seconds, SecondsOrNone, Section, Unit
from orchestrator.config.source_schema import GitSource, PypiSource, RegistrySource, UrlSource
from orchestrator.config.window_schema import Window


class BackgroundCheck(Section):
    """Checks for updates while the orchestrator runs."""

    enabled: bool = True
    """Check for updates at an interval, not only at start. Example: false"""
    interval: Seconds = 3600
    """Time between two checks; each pause is up to a tenth longer, so that apps do not ask all at once. Example:
    900"""
    notify: bool = True
    """Send a notice when a check in the background finds an update, if `update.notify_on_update` is on, too. Each
    version is told once. Example: false"""


class Backup(Section):
    """Backups before an update."""

    create_before_update: bool = True
    """Back up an app that has data before each of its updates. Differs from the original specification (which copies
    the code too), because the images of earlier releases are kept. Example: false"""
    keep_backups: Annotated[int, Field(ge=1, le=MOST), Unit("backups")] = 5
    """How many backups of the app are kept; older ones are removed after a new one is complete. Those made by hand are
    counted apart: so many of them are kept as well. In addition, the first one of each of so many last days is kept,
    and a backup that is the only way back to the standby. One made before a deployment that failed is not counted, and
    only the newest of these is kept, until so many counted ones are newer; where migrations ran, the first one of a
    row of failures is counted. Example: 10"""
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
    source: Annotated[Literal["git", "pypi", "url", "registry"], Unit("`git`, `pypi`, `url` or `registry`")] = "git"
    """The kind of source. Example: git"""
    version_scheme: Annotated[Literal["semver", "pep440", "commit"] | None, Unit("`semver`, `pep440` or `commit`")] = (
        None
    )
    """How versions are ordered: by Semantic Versioning, and by PEP 440 those that it does not know; by PEP 440 alone;
    or not by their names. With `commit` the newest tag is that of the latest date, and the newest release of a manifest
    its first one. When not set, `semver`, and `pep440` for packages, which have no other. Example: pep440"""
    git: GitSource = GitSource()
    pypi: PypiSource | None = None
    url: UrlSource | None = None
    registry: RegistrySource | None = None
    check_on_startup: bool = True
    """Check for updates when the orchestrator starts. When false, the first check comes after
    `background_check.interval`, also if there is no other one in the background. Example: false"""
    notify_on_update: bool = True
    """Send a notice when an update is found, to the services of `notify`. Each version is told once, also over
    restarts. The panel always shows a known update. Example: false"""
    auto_update: bool = False
    """Deploy an update as soon as a check finds it, if a release of the app is live and no other is being deployed. A
    release that failed, was rolled back or was cancelled by a person is not deployed again by itself. When false, a
    person or a program starts each deployment. Example: true"""
    window: Window | None = None
    minimum_age: SecondsOrNone = 0
    """How old a version must be before it is offered and installs itself; where newer ones are too young, the newest
    that is old enough is. It counts from the release date that the source says (for Git, the date of the commit), and
    from the first check that found the version where the source says none, or one that is later. Example: 86400"""
    background_check: BackgroundCheck = BackgroundCheck()
    backup: Backup = Backup()
    migrations: Migrations = Migrations()
    rollback: Rollback = Rollback()

    @property
    def followed(self) -> GitSource | PypiSource | UrlSource | RegistrySource | None:
        """The section of the source that is followed; None if a source is named without its section."""
        return {"git": self.git, "pypi": self.pypi, "url": self.url, "registry": self.registry}[self.source]

    @property
    def ordered_by(self) -> Literal["semver", "pep440", "commit"]:
        """How versions of the source are ordered."""
        return self.version_scheme or ("pep440" if self.source == "pypi" else "semver")

    @property
    def repository(self) -> GitSource | None:
        """The repository that releases come from; None with another kind of source."""
        return self.git if self.source == "git" else None

    @property
    def built_path(self) -> str:
        """The folder of a fetched source that is built."""
        return self.git.path if self.source == "git" else "."
