"""A container's log from Docker, piece by piece, each with the stream that it was written to."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from docker.models.containers import Container
from docker.types.daemon import CancellableStream

from orchestrator.domain.log_line import LogRange
from orchestrator.engine.docker.upgraded import STDOUT

CHUNK = 16 * 1024
_HEAD = struct.Struct(">BxxxL")
"""Before each piece of a log without a terminal: the stream that it belongs to, and its size in bytes."""
SILENT_FOR_S = 20.0
"""A log that is not followed comes at once: an engine that says nothing for so long gives none."""


class LogFrames:
    """Read in one thread; `close`, in any other one, ends that. Each piece begins with its moment and a blank, unless
    the container has a terminal.

    docker-py's own `logs` puts both streams into one, in which a line of the one stands in the middle of the other.
    """

    def __init__(self, container: Container, wanted: LogRange, *, follow: bool) -> None:
        """Raises APIError or RequestException."""
        client: Any = container.client  # Any: the stubs lack what is used here, and docker-py has no other way
        api = client.api
        has_terminal = bool(container.attrs["Config"]["Tty"])
        params: dict[str, int | str] = {
            "stdout": 1,
            "stderr": 1,
            "timestamps": int(not has_terminal),
            "follow": int(follow),
            "tail": wanted.tail,
        }
        for name, at in (("since", wanted.since), ("until", wanted.until)):
            if at:
                params[name] = _unix(at)
        url = api._url("/containers/{0}/logs", container.id)
        self._response = api._get(url, params=params, stream=True, timeout=SILENT_FOR_S)
        api._raise_for_status(self._response)
        if follow:
            # There may be no line for hours.
            api._disable_socket_timeout(api._get_raw_response_socket(self._response))
        frames = self._of_a_terminal() if has_terminal else self._of_both_streams()
        # docker-py ends the connection as the engine's end of it, so that the one who reads finds the end of the log.
        self._stream = CancellableStream(frames, self._response)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return iter(self._stream)

    def close(self) -> None:
        self._stream.close()

    def _of_a_terminal(self) -> Iterator[tuple[int, bytes]]:
        while chunk := self._response.raw.read1(CHUNK):
            yield STDOUT, chunk

    def _of_both_streams(self) -> Iterator[tuple[int, bytes]]:
        while len(head := self._response.raw.read(_HEAD.size)) == _HEAD.size:
            stream, size = _HEAD.unpack(head)
            yield stream, self._response.raw.read(size)


def _unix(at: str) -> str:
    """Seconds since 1970 with nanoseconds, which Docker takes (Docker Engine API, "Get container logs")."""
    second = datetime.fromisoformat(at[:19]).replace(tzinfo=UTC)
    return f"{int(second.timestamp())}.{at[20:29]}"
