"""/v1/apps/{app}/terminals/{number}: what a person types to a one-off command that has a terminal.

What is typed may be a password: it is neither logged nor in the audit log, which has the command.
"""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from orchestrator.api.access import Serving, Typist
from orchestrator.engine.terminal import Size

router = APIRouter(prefix="/apps/{app}/terminals/{number}")

Cells = Annotated[int, Field(ge=1, le=1000)]
Number = Annotated[str, StringConstraints(max_length=64)]


class WindowSize(BaseModel):
    """Of the terminal, in characters."""

    model_config = ConfigDict(extra="forbid")
    columns: Cells
    rows: Cells

    @property
    def size(self) -> Size:
        return Size(self.columns, self.rows)


class Typed(BaseModel):
    """`keys`: the bytes that the person's terminal sent, in base64."""

    model_config = ConfigDict(extra="forbid")
    keys: Annotated[
        str, Field(max_length=20_000, pattern=r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")
    ]


class TerminalView(BaseModel):
    terminal: str


@router.post("/keys")
async def keys(app: str, number: Number, typed: Typed, orchestrator: Serving, _who: Typist) -> TerminalView:
    """Type to the command."""
    orchestrator.apps.commands_of(app).terminal(number).type(base64.b64decode(typed.keys))
    return TerminalView(terminal=number)


@router.post("/size")
async def resize(app: str, number: Number, window: WindowSize, orchestrator: Serving, _who: Typist) -> TerminalView:
    """Tell the command the new size of the window."""
    orchestrator.apps.commands_of(app).terminal(number).type(window.size)
    return TerminalView(terminal=number)
