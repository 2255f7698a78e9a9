"""The versions that an app's source has."""

from __future__ import annotations

from datetime import datetime

from panel.client.value import Value


class Version(Value):
    """`ref` is what a deployment of it names. `state`: live, standby, was_live, failed, skipped, or empty."""

    version: str
    ref: str
    released_at: datetime | None = None
    followed: bool = True
    state: str = ""

    @property
    def is_skipped(self) -> bool:
        return self.state == "skipped"


class Versions(Value):
    """The newest first."""

    versions: tuple[Version, ...]
