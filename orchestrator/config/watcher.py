"""The configuration file on the disk, and the last valid configuration that was in use."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watchfiles import awatch

from orchestrator.clock import now
from orchestrator.config import loader
from orchestrator.config.loader import Loaded
from orchestrator.config.schema import Config
from orchestrator.errors import ConfigError, Problem

STEP_MS = 100
"""How long changes in the folder are collected, in milliseconds."""


@dataclass(frozen=True)
class Read:
    """What a file contained: the digest of its bytes, its text, and the configuration."""

    digest: str
    text: str
    loaded: Loaded


class ConfigFile:
    """The file, the configuration in use, and why the file is not in use if it is not.

    A configuration is read, then used by the server, then accepted; until then the one before stays in use. The text of
    the last accepted one is kept in `kept`, so that a start with an invalid file uses it.
    """

    def __init__(self, path: Path, kept: Path) -> None:
        self.path = path
        self._kept = kept
        self.in_use = Loaded(Config())
        self.problem = ""
        self.problem_since: datetime | None = None
        self.digest = ""
        """Of the file's bytes, when it was last accepted or refused."""

    @property
    def config(self) -> Config:
        return self.in_use.config

    def read(self) -> Read:
        """Read the file. Raises ConfigError when it is invalid, or when it vanished or was emptied while in use."""
        content = self._bytes()
        digest = hashlib.sha256(content).hexdigest() if content is not None else ""
        text = (content or b"").decode(errors="replace")
        if self.config.apps and not text.strip():
            says = "the file does not exist any more" if content is None else "the file is empty"
            says += "; the apps in use would be removed. To remove them, write: apps: {}"
            raise ConfigError((Problem(self.path.name, 1, "", says),))
        return Read(digest, text, loader.load(self.path))

    def read_at_start(self) -> Read:
        """As `read`; when the file is invalid, the configuration that was accepted last, with the problem recorded.

        Raises ConfigError when there is none.
        """
        kept = self._kept.read_text(encoding="utf-8") if self._kept.exists() else ""
        try:
            if kept:
                # An empty file takes no apps away, as while the orchestrator runs.
                self.in_use = loader.parse(kept, self._kept.name)
            return self.read()
        except ConfigError as error:
            if not kept:
                raise
            self.refuse(error.cause)
            return Read(self.digest, kept, loader.parse(kept, self._kept.name))

    def accept(self, read: Read) -> None:
        """This configuration is in use now."""
        self._keep(read.text)
        self.in_use, self.digest = read.loaded, read.digest
        self.problem, self.problem_since = "", None

    def use_kept(self, read: Read) -> None:
        """This configuration, which was accepted earlier, is in use; the problem of the file stays."""
        self.in_use = read.loaded

    def refuse(self, problem: str) -> None:
        """The file is not in use, for this reason."""
        content = self._bytes()
        self.digest = hashlib.sha256(content).hexdigest() if content is not None else ""
        self.problem_since = self.problem_since or now()
        self.problem = problem

    async def changes(self) -> AsyncIterator[None]:
        """Yields each time that the file changes. Ends at once if its folder does not exist."""
        if not self.path.parent.is_dir():
            return
        async for changes in awatch(self.path.parent, recursive=False, step=STEP_MS):
            if any(Path(changed).name == self.path.name for _, changed in changes):
                yield

    def _bytes(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except OSError:
            return None  # the loader says why, where that matters

    def _keep(self, text: str) -> None:
        if self._kept.exists() and self._kept.read_text(encoding="utf-8") == text:
            return
        temporary = self._kept.with_name(self._kept.name + ".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._kept)
