"""The source of a deployment by hand whose files were uploaded as an archive."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path

from orchestrator.domain.by_hand import ARCHIVE, SHOWN_DIGITS, UploadedArchive
from orchestrator.domain.release import Release
from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources import archive
from orchestrator.sources.base import OneRelease, SourceRelease
from orchestrator.sources.uploads import Uploads

_GONE = "The archive is not there any more: archives are kept for one deployment."


class ArchivedByHand(OneRelease):
    """One archive, as a Source. Its source revision is its digest, so that the same content is the same release."""

    def __init__(self, app: str, asked: UploadedArchive, uploads: Uploads) -> None:
        self._app = app
        self._asked = asked
        self._uploads = uploads

    async def origin(self) -> str:
        return "an uploaded archive"

    async def newest(self, ref: str = "") -> SourceRelease:
        """The archive itself, whatever `ref` is. Raises StepFailed if it is not there any more."""
        try:
            digest = await to_its_end(asyncio.to_thread(_sha256, self._file))
        except FileNotFoundError as error:
            raise self._gone() from error
        version = self._asked.version or digest[:SHOWN_DIGITS]
        return SourceRelease(Release(version, f"{ARCHIVE}sha256:{digest}"), None)

    async def fetch(self, source_revision: str, folder: Path) -> None:
        """Unpack it. Raises StepFailed for one that is damaged, too large, or leads outside; then nothing stays."""
        if not self._uploads.has(self._app, self._asked.upload):
            raise self._gone()
        if folder.exists():
            await to_its_end(asyncio.to_thread(shutil.rmtree, folder))
        folder.mkdir(parents=True)
        await to_its_end(asyncio.to_thread(archive.unpack, self._file, folder, called="The archive"))

    @property
    def _file(self) -> Path:
        return self._uploads.file(self._app, self._asked.upload)

    def _gone(self) -> StepFailed:
        return StepFailed(_GONE, f"Send it again: changeover deploy {self._app} --archive FILE")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
