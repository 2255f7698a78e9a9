"""Removes an uploaded archive when its deployment has ended, in whatever way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import structlog

from orchestrator.domain.by_hand import UploadedArchive, requested
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.events import EventKind, Occurrence
from orchestrator.errors import ChangeoverError
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.journal.store import Journal
from orchestrator.sources.uploads import Uploads

log = structlog.get_logger()

LOOK_AGAIN_S = 600.0
LAST = frozenset(
    {EventKind.LIVE, EventKind.FAILED, EventKind.CANCELLED, EventKind.SUPERSEDED, EventKind.UNCHANGED, EventKind.ENDED}
)


class UsedUploads:
    """Implements Notifier."""

    def __init__(self, journal: Journal, uploads: Uploads) -> None:
        self._journal = journal
        self._uploads = uploads

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """The next start finds what cannot be removed now."""
        if happened.kind in LAST and deployment:
            with suppress(ChangeoverError):
                self._remove(self._journal.deployment(deployment))

    def _remove(self, deployment: Deployment) -> None:
        for name in names_of([deployment]):
            try:
                self._uploads.remove(deployment.app, name)
            except OSError as error:
                log.warning("uploaded archive not removed", deployment=deployment.id, cause=error.strerror)


def names_of(deployments: Iterable[Deployment]) -> set[str]:
    """The archives that these deployments are of."""
    asked = (requested(one.ref) for one in deployments)
    return {one.upload for one in asked if isinstance(one, UploadedArchive)}


async def keep_removing_unused(uploads: Uploads, journal: Journal) -> None:
    """Remove, without end, what was uploaded and what nobody has asked to be deployed in an hour."""
    while True:
        await asyncio.sleep(LOOK_AGAIN_S)
        needed = names_of(await journal.beside(journal.unfinished))
        await to_its_end(asyncio.to_thread(uploads.remove_left, needed))
