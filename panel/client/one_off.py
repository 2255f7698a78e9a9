"""The requests whose answers are streams of lines, such as those of one-off commands."""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Any

from pydantic import BeforeValidator

from panel.client.errors import ClientError, Failed, NotSignedIn, Refused
from panel.client.log_model import Moment
from panel.client.value import Value

_KINDS = {"Refused": Refused, "TooManyStreams": Refused, "NotAllowed": NotSignedIn}
"""By the kind of a problem in a stream, whose status was sent before it was known. Others are a Failed."""


def _decoded(text: object) -> object:
    """Raises ValueError for what is no base64."""
    return base64.b64decode(text, validate=True) if isinstance(text, str) else text


class Piece(Value):
    """One value of such a stream: a line of output, or how the command ended. A sign of life has none of them."""

    line: str | None = None
    output: Annotated[bytes | None, BeforeValidator(_decoded)] = None
    """What the command writes to its terminal, or to its standard output if bytes were asked for: as it is, control
    characters included. It is sent in base64."""
    error: str | None = None
    """A line of its standard error, if bytes were asked for."""
    note: bool = False
    """The line is not the command's: it says how many lines were left out."""
    at: Moment = None
    """Of a line of a log: when it was written."""
    container: str = ""
    """Of a line of a log: what has printed it. An older orchestrator does not tell."""
    deployment: str = ""
    stream: str = ""
    level: str = ""
    cut: bool = False
    """The end of the line is missing; the line says so."""
    terminal: str = ""
    """The number of the terminal, to which keys are sent."""
    exit_code: int | None = None
    late: bool = False
    problem: dict[str, Any] | None = None  # Any: JSON


class OneOffRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _ask(self, method: str, path: str, **request: Any) -> Any:  # Any: JSON, and as httpx takes it
        """The answer to one request."""

    @abstractmethod
    def _pieces(
        self, method: str, path: str, **request: Any
    ) -> AsyncGenerator[Piece, None]:  # Any: as httpx takes them
        """Each value of a stream of JSON lines."""

    async def one_off(
        self,
        app: str,
        place: str,
        command: Sequence[str],
        env: Mapping[str, str],
        timeout_s: float,
        stdin: bytes | None = None,
        window: tuple[int, int] | None = None,
        *,
        in_bytes: bool = False,
    ) -> AsyncGenerator[Piece, None]:
        """Run a command in the app's active release; `place` is `run` or `exec`. The last piece has its exit code.

        `stdin` is what it reads from its standard input; None: it has none. With a `window`, its columns and rows, it
        has a terminal instead, whose number is in the first piece. `in_bytes`: its standard output comes byte for byte;
        an orchestrator that does not know this yet sends lines.
        """
        wanted: dict[str, object] = {"command": list(command), "env": dict(env), "timeout": timeout_s}
        if stdin is not None:
            wanted["stdin"] = base64.b64encode(stdin).decode()
        if window:
            wanted["terminal"] = _size(window)
        form = {"output": "bytes"} if in_bytes else {}
        async with aclosing(self._pieces("POST", f"/v1/apps/{app}/{place}", json=wanted, params=form)) as pieces:
            async for piece in pieces:
                if piece.problem:
                    raise stream_error(piece.problem)
                if piece != Piece():
                    yield piece

    async def type_keys(self, app: str, terminal: str, keys: bytes) -> None:
        await self._ask("POST", _terminal(app, terminal, "keys"), json={"keys": base64.b64encode(keys).decode()})

    async def resize(self, app: str, terminal: str, window: tuple[int, int]) -> None:
        """Tell a command the new size of its window, in columns and rows."""
        await self._ask("POST", _terminal(app, terminal, "size"), json=_size(window))


def _size(window: tuple[int, int]) -> dict[str, int]:
    return {"columns": window[0], "rows": window[1]}


def _terminal(app: str, number: str, what: str) -> str:
    return f"/v1/apps/{app}/terminals/{number}/{what}"


def stream_error(problem: dict[str, Any]) -> ClientError:  # Any: JSON
    """The error that the last value of a stream tells."""
    kind = _KINDS.get(str(problem.get("kind")), Failed)
    return kind(str(problem.get("detail", "")), str(problem.get("remedy", "")))
