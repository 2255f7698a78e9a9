"""The logs of removed containers, in files below the state folder: one each, compressed, for the orchestrator alone.

They are kept as long as the output of the deployment is, to which the container belonged (`disk.keep_output`). Names of
apps, deployments and containers come from labels, which anybody who has the engine may set: strange ones are refused.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import threading
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from orchestrator.clock import now
from orchestrator.domain.log_line import LogLine, LogPart, moment_text
from orchestrator.engine.base import LABEL_APP, LABEL_COLOUR, LABEL_DEPLOYMENT, LABEL_NUMBER, LABEL_RELEASE
from orchestrator.files.new_file import open_new
from orchestrator.files.synced import sync_folder

log = structlog.get_logger()

MOST_FILES = 200
"""Of one app; beyond it the oldest are removed."""
MOST_BYTES = 64 * 2**20
"""Of all files of one app."""
MOST_UNPACKED = 16 * 2**20
"""So much of one file is read: more than is ever written into one."""
SUFFIX = ".log.gz"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_APP = re.compile(r"[a-z][a-z0-9-]{0,30}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


@dataclass(frozen=True)
class Kept:
    """What is known of the log of a removed container. Moments have the form of LogLine's `at`."""

    container: str
    deployment: str
    number: int
    colour: str
    version: str
    removed_at: str
    first_at: str
    last_at: str
    lines: int
    left_out: str = ""


class KeptLogs:
    """Writes, lists, reads and forgets. Every method blocks: call it in a thread. May be used from any."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()

    def keep(self, container: str, labels: Mapping[str, str], part: LogPart) -> None:
        """Write the log of a container that is being removed. Raises OSError."""
        app, deployment = labels.get(LABEL_APP, ""), labels.get(LABEL_DEPLOYMENT, "")
        if not part.lines:
            return
        if not (_APP.fullmatch(app) and _ID.fullmatch(deployment) and _NAME.fullmatch(container)):
            log.warning("the log of a removed container is not kept: its labels are not ours", container=container)
            return
        number, moment = labels.get(LABEL_NUMBER, ""), moment_text(now())
        moments = [line.at for line in part.lines if line.at]
        about = Kept(
            container=container,
            deployment=deployment,
            number=int(number) if number.isascii() and number.isdigit() else 0,
            colour=labels.get(LABEL_COLOUR, "")[:10],
            version=labels.get(LABEL_RELEASE, "")[:200],
            removed_at=moment,
            first_at=moments[0] if moments else moment,
            last_at=max(moments, default=moment),
            lines=len(part.lines),
            left_out=part.left_out,
        )
        with self._turn:
            self._write(app, f"{deployment}~{re.sub('[^0-9]', '', moment)}{SUFFIX}", about, part.lines)
            self._limit(app)

    def of(self, app: str) -> dict[Path, Kept]:
        """The kept logs of an app by their files, the oldest first. One that is damaged is left out, and logged."""
        found = {}
        for file in self._files(app):
            try:
                with gzip.open(file, "rt", encoding="utf-8") as content:
                    found[file] = Kept(**json.loads(content.readline(64 * 1024)))
            except (OSError, EOFError, zlib.error, ValueError, TypeError) as error:
                log.warning("a kept log cannot be read", file=str(file), cause=str(error))
        return dict(sorted(found.items(), key=lambda one: one[1].removed_at))

    def lines(self, file: Path) -> Iterator[LogLine]:
        """The lines of a kept log; nothing of one that was forgotten meanwhile, or as far as one can be read."""
        with suppress(OSError, EOFError, zlib.error, ValueError), gzip.open(file, "rt", encoding="utf-8") as content:
            content.readline(64 * 1024)
            size = 0
            for written in content:
                size += len(written)
                if size > MOST_UNPACKED:
                    return
                at, stream, text = written.rstrip("\n").split(" ", 2)
                yield LogLine("" if at == "-" else at, text, stream == "e")

    def forget(self, app: str, keep: Collection[str] = ()) -> None:
        """Remove the logs of an app, but for those of these deployments. Raises OSError."""
        with self._turn:
            for file in self._files(app):
                if file.name.partition("~")[0] not in keep:
                    file.unlink(missing_ok=True)
            with suppress(OSError):  # not empty, or not there
                self._of(app).rmdir()

    def _write(self, app: str, name: str, about: Kept, lines: Collection[LogLine]) -> None:
        folder = self._of(app)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        new = folder / f"{name}.new"
        try:
            with os.fdopen(open_new(new), "wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as packed:
                packed.write(f"{json.dumps(asdict(about))}\n".encode())
                for line in lines:
                    written = f"{line.at or '-'} {'e' if line.is_error else 'o'} {line.text}\n"
                    packed.write(written.encode(errors="replace"))
            new.replace(folder / name)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        sync_folder(folder)

    def _limit(self, app: str) -> None:
        files, size = self._files(app), 0
        by_age = sorted(files, key=lambda file: file.name.partition("~")[2], reverse=True)
        for number, file in enumerate(by_age):
            size += file.stat().st_size
            if number >= MOST_FILES or size > MOST_BYTES:
                file.unlink(missing_ok=True)

    def _files(self, app: str) -> list[Path]:
        folder = self._of(app)
        return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []

    def _of(self, app: str) -> Path:
        """Raises ValueError for what is no name of an app: it would be a path to elsewhere."""
        if not _APP.fullmatch(app):
            raise ValueError(f"{app!r} is not the name of an app")
        return self._folder / app
