"""The values that a request names: each has a form and a length. Others are refused with status 422."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

MOST_ID = 2**63 - 1
"""The largest id that a database keeps."""
NO_CONTROL = r"[^\x00-\x1f\x7f]"

_APP = r"^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$"
_ID, _OPTIONAL_ID = r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$", r"^([A-Za-z0-9][A-Za-z0-9-]{0,63})?$"
_BACKUP, _OPTIONAL_BACKUP = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$"
_REF = r"^([^\x00-\x20\x7f-][^\x00-\x20\x7f]{0,199})?$"
_IMAGE, _ARCHIVE = r"^([A-Za-z0-9][!-~]{0,189})?$", r"^([0-9a-f]{16})?$"
_VERSION = r"^([A-Za-z0-9][A-Za-z0-9._+-]{0,99})?$"
_CONTAINER = r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,127})?$"
_LOG = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
_SESSION = r"^[0-9a-f]{12}$"
_CHECK = r"^[0-9a-f]{16}$"
_IS_A_DEPLOYMENT = "the id of a deployment, as 'changeover history' shows it"
_IS_A_BACKUP = "the id of a backup, as 'changeover backup list' shows it"
FORMS: Mapping[str, str] = MappingProxyType(
    {
        _APP: "the name of an app: lower-case letters, digits and hyphens, at most 31, the first of them a letter",
        _ID: _IS_A_DEPLOYMENT,
        _OPTIONAL_ID: _IS_A_DEPLOYMENT,
        _BACKUP: _IS_A_BACKUP,
        _OPTIONAL_BACKUP: _IS_A_BACKUP,
        _REF: "a branch, tag or commit: at most 200 characters, no blanks, the first of them no hyphen",
        _IMAGE: "the name of an image with its tag or digest, or the id of one: at most 190 characters, no blanks",
        _ARCHIVE: "the name that an uploaded archive got",
        _VERSION: "a version: at most 100 letters, digits and the characters . _ + -, the first a letter or digit",
        _CONTAINER: "the name of a container",
        _LOG: "all, active, standby, candidate, previous, blue, green, the id of a deployment, or a container's name",
        _CHECK: "the id of a check, as the answer to a push and 'changeover pushes' have it",
        _SESSION: "the id of a session, as 'changeover session list' shows it",
    }
)
"""What a value must be, in words, by the pattern of its form."""

App = Annotated[str, Path(pattern=_APP, description="The name of an app.")]
DeploymentId = Annotated[str, Path(pattern=_ID)]
BackupId = Annotated[str, Path(pattern=_BACKUP)]
BackupToRestore = Annotated[str, Field(pattern=_OPTIONAL_BACKUP)]
Ref = Annotated[str, Field(pattern=_REF)]
"""A branch, tag or commit, or empty. It does not begin with `-`: it becomes an argument of git."""
ImageToDeploy = Annotated[str, Field(pattern=_IMAGE)]
ArchiveToDeploy = Annotated[str, Field(pattern=_ARCHIVE)]
VersionOfArchive = Annotated[str, Field(pattern=_VERSION)]
ContainerName = Annotated[str, Field(pattern=_CONTAINER)]
IdempotencyKey = Annotated[str | None, Field(max_length=255)]
After = Annotated[int, Query(ge=0, le=MOST_ID, description="The id of the event before the first one.")]
Before = Annotated[int | None, Query(ge=0, le=MOST_ID, description="The cursor that the page before gave.")]
EventLimit = Annotated[int, Query(ge=1, le=1000)]
OptionalAfter = Annotated[int | None, Query(ge=0, le=MOST_ID)]
OptionalDeployment = Annotated[str, Query(pattern=_OPTIONAL_ID)]
TokenName = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$")]
AnyTokenName = Annotated[str, Query(max_length=5000, pattern=r"^[^\x00]*$")]
"""Earlier versions accepted any name."""
CheckId = Annotated[str, Path(pattern=_CHECK)]
SessionId = Annotated[str, Path(pattern=_SESSION)]
FileName = Annotated[str, Field(max_length=255, pattern=f"^{NO_CONTROL}*$")]
ConfigurationText = Annotated[str, Field(max_length=2**20)]
LogOf = Annotated[
    str,
    Query(
        pattern=_LOG,
        description="Whose log: `active`, `standby`, `candidate`, `blue`, `green`, `previous` (the container before "
        "the active one), the id of a deployment, the name of a container, or `all`, merged.",
    ),
]
LogMoment = Annotated[
    str, Query(max_length=40, description="A duration such as `10m`, so long ago, or a time such as 2026-11-28T10:00Z.")
]
LogSearch = Annotated[str, Query(max_length=500, pattern=r"^[^\x00]*$", description="In any case of letters.")]
LogLines = Annotated[int, Query(ge=1, le=10_000)]
