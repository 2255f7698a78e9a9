"""The values that a request names: each has a form and a length. Others are refused with status 422."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

MOST_ID = 2**63 - 1
"""The largest id that a database keeps."""
NO_CONTROL = r"[^\x00-\x1f\x7f]"

App = Annotated[str, Path(pattern=r"^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$", description="The name of an app.")]
DeploymentId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
BackupId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
BackupToRestore = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$")]
Ref = Annotated[str, Field(pattern=r"^([^\x00-\x20\x7f-][^\x00-\x20\x7f]{0,199})?$")]
"""A branch, tag or commit, or empty. It does not begin with `-`: it becomes an argument of git."""
ContainerName = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,127})?$")]
IdempotencyKey = Annotated[str | None, Field(max_length=255)]
After = Annotated[int, Query(ge=0, le=MOST_ID, description="The id of the event before the first one.")]
Before = Annotated[int | None, Query(ge=0, le=MOST_ID, description="The cursor that the page before gave.")]
EventLimit = Annotated[int, Query(ge=1, le=1000)]
OptionalAfter = Annotated[int | None, Query(ge=0, le=MOST_ID)]
OptionalDeployment = Annotated[str, Query(pattern=r"^([A-Za-z0-9][A-Za-z0-9-]{0,63})?$")]
TokenName = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$")]
AnyTokenName = Annotated[str, Query(max_length=5000, pattern=r"^[^\x00]*$")]
"""Earlier versions accepted any name."""
SessionId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")]
FileName = Annotated[str, Field(max_length=255, pattern=f"^{NO_CONTROL}*$")]
ConfigurationText = Annotated[str, Field(max_length=2**20)]
LogLines = Annotated[int, Query(ge=1, le=10_000)]
