"""The requests for logs: the last lines, lines as they are written, and which logs there are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from panel.client.errors import Refused
from panel.client.log_model import LogEntry, LogLines, LogOrigins
from panel.client.one_off import Piece, stream_error
from panel.client.value import Value

V = TypeVar("V", bound=Value)


@dataclass(frozen=True)
class LogQuery:
    """What is asked of an app's logs. `container`: active, standby, candidate, previous, blue, green, a deployment, the
    name of a container, or all; empty: the active one. `since` and `until`: so long ago, such as 10m, or a time."""

    container: str = ""
    since: str = ""
    until: str = ""
    level: str = ""
    search: str = ""
    regex: bool = False

    @property
    def parameters(self) -> dict[str, str]:
        """Only what is asked for: an older orchestrator knows none of them."""
        named = {name: str(value) for name, value in vars(self).items() if value and name != "regex"}
        return named | ({"regex": "true"} if self.regex else {})


NO_QUERY = LogQuery()


class LogRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        """The answer to one request."""

    @abstractmethod
    def _pieces(
        self, method: str, path: str, **request: Any
    ) -> AsyncGenerator[Piece, None]:  # Any: as httpx takes them
        """Each value of a stream of JSON lines."""

    async def logs(self, app: str, tail: int = 200, query: LogQuery = NO_QUERY, *, entries: bool = False) -> LogLines:
        """The last `tail` lines that are asked for."""
        wanted = {"tail": str(tail)} | query.parameters | ({"entries": "true"} if entries else {})
        found = await self._read(LogLines, "GET", f"/v1/apps/{app}/logs", params=wanted)
        if found.left_out is None and (query != NO_QUERY or entries):
            raise _older()
        return found

    async def log_origins(self, app: str) -> LogOrigins:
        """The logs that an app has, the newest deployment first."""
        return await self._read(LogOrigins, "GET", f"/v1/apps/{app}/logs/containers")

    async def follow_logs(
        self, app: str, tail: int, query: LogQuery = NO_QUERY
    ) -> AsyncGenerator[LogEntry | None, None]:
        """The last lines that are asked for, then each that is written, until the log ends; one without a container
        says what is missing. None is a sign of life."""
        wanted = {"tail": str(tail)} | query.parameters
        async with aclosing(self._pieces("GET", f"/v1/apps/{app}/logs/follow", params=wanted)) as pieces:
            async for piece in pieces:
                if piece.problem:
                    raise stream_error(piece.problem)
                if piece.line is None:
                    yield None
                    continue
                if not piece.note and not piece.container and query != NO_QUERY:
                    raise _older()
                yield LogEntry(
                    text=piece.line, at=piece.at, container=piece.container, deployment=piece.deployment,
                    stream=piece.stream, level=piece.level,
                )  # fmt: skip


def _older() -> Refused:
    return Refused(
        "The orchestrator is an older version, which shows the active container's log only.",
        "Update Changeover, or leave the options out.",
    )
