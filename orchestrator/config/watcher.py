"""The configuration file on the disk, and the last valid configuration that was in use."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from watchfiles import awatch

from orchestrator.clock import now
from orchestrator.config import loader
from orchestrator.config.durable_text import save
from orchestrator.config.loader import Loaded
from orchestrator.config.schema import Config
from orchestrator.errors import ConfigError, Problem

log = structlog.get_logger()

STEP_MS = 100
"""How long changes in the folder are collected, in milliseconds."""
LOOK_EVERY_MS = 5000
"""How often the file is looked at without a notification, in milliseconds: a link's target and some file systems send
none."""


CORRECT_IT = "Correct the file. It is read again when it is saved."
PUT_IT_BACK = "Write the file again. It is read by itself."


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
        self.is_known = False
        """Whether `in_use` is the user's. If not, the file is invalid and no valid one is kept."""
        self.problem = ""
        """Why the file is not in use, a line for each of its errors; empty if it is."""
        self.remedy = CORRECT_IT
        self.waits = False
        """The file is valid, and is used by itself when something has ended."""
        self.problem_since: datetime | None = None
        self.not_kept = ""
        """Why the configuration in use could not be kept for the next start; empty if it is kept."""
        self.digest = ""
        """Of the file's bytes, when it was last accepted or refused: who has saved a file and finds its digest here
        knows that it is in use, or that `problem` is about it."""
        self._digest_read = ""
        self._text = ""
        """Of the configuration in use: while it says something, an empty or missing file is not used."""
        self._stamp: object = None
        self._try_again = False

    @property
    def config(self) -> Config:
        return self.in_use.config

    @property
    def text(self) -> str:
        """Of the configuration in use; empty if there is no file."""
        return self._text

    def read(self) -> Read:
        """Read the file. Raises ConfigError when it is invalid, or when it vanished or was emptied while in use."""
        self._stamp = self._stamp_of_file()
        content = loader.content_of(self.path)
        self._digest_read = hashlib.sha256(content).hexdigest() if content is not None else ""
        if content is None:
            self._refuse_loss("", self.path.name, "the file does not exist any more")
        text = loader.text_of(content or b"", self.path.name)
        return Read(self._digest_read, text, self.check(text, self.path.name))

    def check(self, text: str, name: str) -> Loaded:
        """What a file with this text would be, for `read` and for `changeover validate`. Raises ConfigError."""
        self._refuse_loss(text, name, "the file is empty")
        return loader.parse(text, name)

    def _refuse_loss(self, text: str, name: str, why: str) -> None:
        if self._text.strip() and not text.strip():
            says = f"{why}; the settings in use stay. To use the defaults for everything, write: apps: {{}}"
            raise ConfigError((Problem(name, 0, "", says),), PUT_IT_BACK)

    def read_at_start(self) -> Read | None:
        """As `read`; when the file is invalid, the configuration that was accepted last, with the problem recorded.

        None when there is no valid one: the caller must wait for it. Raises nothing for a file that is invalid.
        """
        kept = self._read_kept()
        if kept:
            # An empty file takes no settings away, as while the orchestrator runs.
            self.in_use, self._text = kept.loaded, kept.text
        try:
            return self.read()
        except ConfigError as error:
            self.refuse(error.cause, remedy=error.remedy)
            return kept

    def accept(self, read: Read) -> None:
        """This configuration is in use now."""
        self.in_use, self.is_known, self._text, self.digest = read.loaded, True, read.text, read.digest
        self.problem, self.problem_since, self.waits, self._try_again = "", None, False, False
        self._keep()

    def _keep(self) -> None:
        try:
            save(self._kept, self._text)
            self.not_kept = ""
        except OSError as error:
            # It is in use all the same; doctor shows that a start with an invalid file would use an older one.
            known = self.not_kept
            self.not_kept = f"the copy in the orchestrator's volume cannot be written: {error.strerror}"
            if self.not_kept != known:
                log.error("configuration not kept", file=str(self._kept), cause=error.strerror)

    def use_kept(self, read: Read) -> None:
        """This configuration, which was accepted earlier, is in use; the problem of the file stays."""
        self.in_use, self.is_known, self._text = read.loaded, True, read.text

    def refuse(self, problem: str, *, remedy: str = "", waits: bool = False, try_again: bool = False) -> bool:
        """The file is not in use, for this reason. Returns whether the reason is another one than before.

        `try_again`: the reason may go away without a change of the file, which is therefore read again. `waits`: it
        does, because nothing is wrong.
        """
        is_new, self.digest = problem != self.problem, self._digest_read
        self.problem_since = self.problem_since or now()
        self.problem, self.remedy, self.waits, self._try_again = problem, remedy or CORRECT_IT, waits, try_again
        return is_new

    async def changes(self) -> AsyncIterator[None]:
        """Yields when the file may differ from what was read last, and when it should be tried again. Never ends."""
        while True:
            try:
                async for changes in awatch(
                    self.path.parent, recursive=False, step=STEP_MS, rust_timeout=LOOK_EVERY_MS, yield_on_timeout=True
                ):
                    named = any(Path(changed).name == self.path.name for _, changed in changes)
                    if named or self._is_to_be_read():
                        yield
            except OSError as error:
                # The folder does not exist, or the system has no watch left: look from time to time.
                log.warning("configuration file cannot be watched", folder=str(self.path.parent), cause=str(error))
            await asyncio.sleep(LOOK_EVERY_MS / 1000)
            if self._is_to_be_read():
                yield

    def _is_to_be_read(self) -> bool:
        if self.not_kept:
            self._keep()  # there may be room again
        return self._try_again or self._stamp_of_file() != self._stamp

    def _stamp_of_file(self) -> object:
        """What differs after the file was written, replaced or removed."""
        try:
            found = os.stat(self.path)
        except OSError as error:
            return error.errno
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size

    def _read_kept(self) -> Read | None:
        """The configuration that was accepted last. None if there is none, or if this version does not accept it."""
        try:
            content = loader.content_of(self._kept)
            if content is None:
                return None
            text = loader.text_of(content, self._kept.name)
            return Read("", text, loader.parse(text, self._kept.name))
        except ConfigError as error:
            log.error("the kept configuration is not valid", file=str(self._kept), problems=error.cause)
            return None
