"""The configuration file as it is on the disk, and the last valid configuration that was read from it."""

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
"""How long changes of the folder are gathered, in milliseconds."""


class ConfigFile:
    """What was read last: the digest of the file's bytes, and why the file was refused if it was.

    `config` is the last configuration that was valid; a file that is refused leaves it as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = Config()
        self.notices: tuple[Notice, ...] = ()
        self.problem = ""
        self.digest = ""

    def read(self) -> bool:
        """Read the file now; whether that gave another configuration. Raises ConfigError."""
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
        """Each time that the file changes, for ever; nothing where its folder does not exist."""
        if not self.path.parent.is_dir():
            return
        async for changes in awatch(self.path.parent, recursive=False, step=STEP_MS):
            if any(Path(changed).name == self.path.name for _, changed in changes):
                yield
