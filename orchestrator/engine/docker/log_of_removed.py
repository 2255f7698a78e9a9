"""The log of an app container that is about to be removed, for whoever keeps it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from itertools import accumulate

import structlog
from docker.errors import DockerException
from docker.models.containers import Container
from requests.exceptions import RequestException

from border.secrets import Secrets
from orchestrator.domain.counted import counted
from orchestrator.domain.log_line import KeepLog, LogPart, LogRange
from orchestrator.engine.base import LABEL_ROLE, Role
from orchestrator.engine.docker.log import read_part
from orchestrator.engine.docker.log_frames import LogFrames
from orchestrator.engine.docker.lookup import end, name_of

log = structlog.get_logger()

MOST_LINES = 10_000
"""So many last lines of a removed container are kept."""
MOST_BYTES = 2 * 2**20
"""So many characters of them, in all."""
WITHIN_S = 5.0
"""The removal waits for its log no longer, and for the count of what is not kept no longer once more."""


def keep_log(container: Container, known_secrets: Secrets, keep: KeepLog) -> None:
    """Hand the end of its log over. It blocks. A log that cannot be read or kept does not keep the container."""
    if container.labels.get(LABEL_ROLE) != Role.APP:
        return
    try:
        container.reload()
        if container.status in ("running", "paused"):
            end(container, 0)  # nothing is written any more
        part = read_part(container, LogRange(MOST_LINES), known_secrets, within_s=WITHIN_S)
        keep(name_of(container), container.labels, _shortened(container, part))
    except (DockerException, RequestException, OSError) as error:
        log.warning("the log of a removed container is not kept", container=container.name, cause=str(error))


def _shortened(container: Container, part: LogPart) -> LogPart:
    """At most MOST_BYTES of it, saying how much is not kept."""
    sizes = accumulate(len(line.text) for line in reversed(part.lines))
    kept = sum(1 for size in sizes if size <= MOST_BYTES)
    lines = part.lines[len(part.lines) - kept :]
    if part.looked_at < MOST_LINES and len(lines) == part.looked_at:
        return part
    return replace(part, lines=lines, left_out=_missing(container, len(lines)))


def _missing(container: Container, kept: int) -> str:
    """How much of the log there is before the lines that are kept."""
    lines = size = 0
    late = time.monotonic() + WITHIN_S
    with closing(LogFrames(container, LogRange(-1), follow=False)) as frames:
        for _stream, piece in frames:
            lines += piece.endswith(b"\n")
            size += len(piece)
            if time.monotonic() > late:
                return f"the lines before the last {kept} of a removed container are not kept"
    return (
        f"{counted(max(lines - kept, 0), 'line')} before this not kept: of a removed container's log of "
        f"{size / 2**20:.1f} MB, {MOST_LINES} lines and {MOST_BYTES // 2**20} MB at most are"
    )
