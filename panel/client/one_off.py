"""The requests whose answers are streams of lines: one-off commands, and a log as it is written."""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from panel.client.errors import ClientError, Failed, Refused
from panel.client.value import Value


class Piece(Value):
    """One value of such a stream: a line of output, or how the command ended. A sign of life has none of them."""

    line: str | None = None
    exit_code: int | None = None
    late: bool = False
    problem: dict[str, Any] | None = None  # Any: JSON


class OneOffRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    def _pieces(self, method: str, path: str, **request: Any) -> AsyncIterator[Piece]:  # Any: as httpx takes them
        """Each value of a stream of JSON lines."""

    async def one_off(
        self,
        app: str,
        place: str,
        command: Sequence[str],
        env: Mapping[str, str],
        timeout_s: float,
        stdin: bytes | None = None,
    ) -> AsyncIterator[Piece]:
        """Run a command in the app's active release; `place` is `run` or `exec`. The last piece has its exit code.

        `stdin` is what it reads from its standard input; None: it has none.
        """
        wanted: dict[str, object] = {"command": list(command), "env": dict(env), "timeout": timeout_s}
        if stdin is not None:
            wanted["stdin"] = base64.b64encode(stdin).decode()
        async for piece in self._pieces("POST", f"/v1/apps/{app}/{place}", json=wanted):
            if piece.problem:
                raise _error(piece.problem)
            if piece.line is not None or piece.exit_code is not None:
                yield piece

    async def follow_logs(self, app: str, tail: int) -> AsyncIterator[str]:
        """The last lines of the active container's log, then each line that it writes, until it ends."""
        async for piece in self._pieces("GET", f"/v1/apps/{app}/logs/follow", params={"tail": tail}):
            if piece.problem:
                raise _error(piece.problem)
            if piece.line is not None:
                yield piece.line


def _error(problem: dict[str, Any]) -> ClientError:  # Any: JSON
    kind = Refused if problem.get("kind") == "Refused" else Failed
    return kind(str(problem.get("detail", "")), str(problem.get("remedy", "")))
