"""Reads and watches the configuration file, and keeps the last valid configuration."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

from orchestrator.config import loader
from orchestrator.config.loader import Notice
from orchestrator.config.schema import Config
from orchestrator.errors import ConfigError

STEP_MS = 100
"""How long changes of the folder are collected before they are reported, in milliseconds."""


class ConfigFile:
    """The configuration file. `digest` and `problem` are those of the last read; `problem` is empty if it was valid.

    `config` is the last valid configuration; a file that is not valid does not change it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = Config()
        self.notices: tuple[Notice, ...] = ()
        self.problem = ""
        self.digest = ""

    def read(self) -> bool:
        """Read the file now. Returns whether the configuration changed. Raises ConfigError."""
        self.digest = hashlib.sha256(self.path.read_bytes()).hexdigest() if self.path.exists() else ""
        try:
            loaded = loader.load(self.path)
        except ConfigError as error:
            self.problem = error.cause
            raise
        self.problem = ""
        changed = loaded.config != self.config
        self.config, self.notices = loaded.config, loaded.notices
        return changed

    async def changes(self) -> AsyncIterator[None]:
        """Yields each time the file changes, without end. Ends at once if its folder does not exist."""
        if not self.path.parent.is_dir():
            return
        async for changes in awatch(self.path.parent, recursive=False, step=STEP_MS):
            if any(Path(changed).name == self.path.name for _, changed in changes):
                yield
