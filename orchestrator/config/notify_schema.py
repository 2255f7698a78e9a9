"""The section `notify`: which services are told what, of all apps at the top level, of one app below its name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, field_validator

from orchestrator.config.section import Section, Unit
from orchestrator.domain.notice import NoticeKind

Kinds = tuple[Literal["live", "failed", "rolled_back", "update", "check_failed", "outage"], ...]
EVERY_KIND: Kinds = ("live", "failed", "rolled_back", "update", "check_failed", "outage")
MOST_TARGETS = 20


class Notify(Section):
    """Notices to people: by mail, chat and other services of [Apprise](https://appriseit.com/services/). A list; at the
    top level, each entry is for all apps. See [notices.md](notices.md)."""

    url_file: Annotated[str, Unit("path")]
    """A file beside the configuration file with the URLs of the services, one on each line; lines that begin with `#`
    are comments. The URLs are secrets. The file is read again for each notice. Example: secrets/notify"""
    on: Annotated[Kinds, Unit("list of these names")] = EVERY_KIND
    """What these services are told: a release is live, a deployment failed, a release was rolled back, a check found an
    update, checks for updates fail, the active release crashed or does not serve. Example: ["failed", "rolled_back"]"""

    @field_validator("on")
    @classmethod
    def _each_once(cls, value: Kinds) -> Kinds:
        if not value:
            raise ValueError(f"expected at least one of {', '.join(EVERY_KIND)}")
        return tuple(dict.fromkeys(value))

    def tells(self, kind: NoticeKind) -> bool:
        return kind in self.on


def _not_too_many(value: tuple[Notify, ...]) -> tuple[Notify, ...]:
    if len(value) > MOST_TARGETS:
        raise ValueError(f"expected at most {MOST_TARGETS} entries; one file can have several URLs")
    return value


Targets = Annotated[tuple[Notify, ...], AfterValidator(_not_too_many)]
