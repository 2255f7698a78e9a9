"""/v1/apps/{app}/run and /exec: one-off commands in the active release.

The answers are streams of JSON, one value a line. `{"line": …}` is a line of output, `{}` a sign of life. The last one
of a command is `{"exit_code": …, "late": …}`, or `{"problem": …}` with the fields of an error answer.

`?output=bytes` asks for the standard output byte for byte and without a limit: it comes as `{"output": …}`, in base64,
and lines of the standard error as `{"error": …}`, limited as lines are. It is no field of the body, since an older
orchestrator refuses unknown ones: that one answers with lines, by which its reader knows. Otherwise a line that says
how many lines were left out has `"note": true`, and one whose end is missing `"cut": true`.

A command that was asked for with a `terminal` first answers with `{"terminal": …}`, under which terminals.py takes what
a person types, and then with `{"output": …}`: bytes as they are, in base64.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import shlex
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, Any, Self

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from orchestrator.access.caller import Caller
from orchestrator.access.rooms import COMMANDS
from orchestrator.api.access import Admin, Serving, require_ready
from orchestrator.api.audited import entry_of, note
from orchestrator.api.command_output import CommandOutput, Form
from orchestrator.api.json_lines import MEDIA_TYPE, as_line, problem_value, shown
from orchestrator.api.terminals import WindowSize
from orchestrator.api.while_allowed import while_allowed
from orchestrator.apps import one_off
from orchestrator.apps.context import AppContext
from orchestrator.apps.one_off import OneOff, Place
from orchestrator.engine.terminal import Pipe, Size, Terminal, content_of
from orchestrator.errors import ChangeoverError, NotAllowed, Refused, TooManyStreams
from orchestrator.host.uninterrupted import in_spite_of_cancels
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/apps/{app}")

MOST_OF_INPUT = 1_400_000
"""Characters of base64: 1 MiB of input."""
MOST_IN_AUDIT = 700
"""Characters of a command in the audit log, whose text is limited (journal/audit_log.py)."""
_NO_LONGER_ALLOWED = NotAllowed(
    "The output is not whole, and the command is ended: the token was revoked or has expired, or runs too many.",
    "Look at what the command had done, then run it again with a valid token.",
)
Word = Annotated[str, StringConstraints(max_length=8192, pattern=r"^[^\x00]*$")]
Variable = Annotated[str, StringConstraints(max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class CommandRequest(BaseModel):
    """`command`: the program and its arguments. `env`: more environment variables. `timeout` is in seconds."""

    model_config = ConfigDict(extra="forbid")
    command: Annotated[list[Word], Field(min_length=1, max_length=200)]
    env: Annotated[dict[Variable, Word], Field(max_length=100)] = {}
    timeout: Annotated[float, Field(gt=0, le=86400)] = 3600
    stdin: Annotated[str, Field(max_length=MOST_OF_INPUT, pattern=r"^[A-Za-z0-9+/]*={0,2}$")] | None = None
    """What it reads from its standard input, in base64 (RFC 4648). Without it, it has none."""
    terminal: WindowSize | None = None
    """The size of the terminal that it has instead of input and output. Without it, it has none."""

    @field_validator("stdin")
    @classmethod
    def _is_base64(cls, text: str | None) -> str | None:
        if text is not None:
            base64.b64decode(text, validate=True)  # raises a ValueError
        return text

    @model_validator(mode="after")
    def _has_one_input(self) -> Self:
        if self.stdin is not None and self.terminal:
            raise ValueError("a command has either stdin or a terminal")
        return self


@router.post("/run")
async def run(
    app: str,
    wanted: CommandRequest,
    orchestrator: Serving,
    who: Admin,
    request: Request,
    output: Form = Form.LINES,
) -> StreamingResponse:
    """Run a command in a new container of the active release, with the app's environment, data and limits."""
    return _carry_out(orchestrator, who, app, Place.RUN, wanted, request, output)


@router.post("/exec")
async def execute(
    app: str,
    wanted: CommandRequest,
    orchestrator: Serving,
    who: Admin,
    request: Request,
    output: Form = Form.LINES,
) -> StreamingResponse:
    """Run a command inside the active container."""
    return _carry_out(orchestrator, who, app, Place.EXEC, wanted, request, output)


def _carry_out(
    orchestrator: Orchestrator,
    who: Caller,
    app: str,
    place: Place,
    wanted: CommandRequest,
    request: Request,
    form: Form,
) -> StreamingResponse:
    require_ready(orchestrator)
    orchestrator.gate.refuse_too_many(who, COMMANDS)
    context = orchestrator.apps.get(app)
    _refuse_while_busy(orchestrator, app)
    # The audit log has the command, too.
    says = shlex.join(wanted.command)
    note(request, says)
    stdin = None if wanted.stdin is None else base64.b64decode(wanted.stdin)
    command = OneOff(place, tuple(wanted.command), wanted.env, wanted.timeout, stdin)
    size = wanted.terminal.size if wanted.terminal else None
    output = _output(orchestrator, who, context, command, size, form)
    return StreamingResponse(_audited(orchestrator, entry_of(request), says, output), media_type=MEDIA_TYPE)


def _refuse_while_busy(orchestrator: Orchestrator, app: str) -> None:
    """Raises Refused."""
    if busy := orchestrator.scheduler.busy_with(app):
        raise Refused(
            f"{busy.kind_in_words.capitalize()} {busy.id} of {app} is under way.",
            "Wait until it has ended: it may change the data and the release.",
        )
    orchestrator.scheduler.lane_of(app).refuse_unrecovered(app)


async def _audited(
    orchestrator: Orchestrator, entry: int | None, says: str, output: AsyncGenerator[str, None]
) -> AsyncGenerator[str, None]:
    """The output, and at its end how the command ended, added to what the audit log says of it.

    Its entry has had its status since the answer began. What comes first is kept short: the end is never cut off.
    """
    last, how = "", "its reader left, and it was ended"
    try:
        async with aclosing(output):
            async for last in output:
                yield last
        how = _end_in_words(json.loads(last)) if last else how
    finally:
        if entry is not None:
            short = f"{says[:MOST_IN_AUDIT]} …" if len(says) > MOST_IN_AUDIT else says
            await in_spite_of_cancels(orchestrator.audit.ended(entry, 200, f"{short}: {how}"))


def _end_in_words(last: dict[str, Any]) -> str:  # Any: JSON
    if problem := last.get("problem"):
        return str(problem["detail"])
    return f"exit code {last.get('exit_code')}{', killed at its time limit' if last.get('late') else ''}"


async def _output(
    orchestrator: Orchestrator,
    who: Caller,
    context: AppContext,
    command: OneOff,
    size: Size | None,
    form: Form = Form.LINES,
) -> AsyncGenerator[str, None]:
    """The command's output as it comes, then its end. It is ended when the reader leaves or loses the right to it."""
    in_bytes = form is Form.BYTES and not size
    output = CommandOutput(in_bytes=in_bytes)
    number = secrets.token_urlsafe(16) if size else ""
    terminal = Terminal(size, output.show, output.let_go) if size else None
    if in_bytes:
        command = replace(command, stdin=Pipe(content_of(command.stdin), output.show, output.let_go))

    async def work() -> one_off.Ended:
        with context.commands.taking_part(), context.commands.attended(number, terminal):
            # Now, too: what began meanwhile waits for those alone that take part already.
            _refuse_while_busy(orchestrator, context.name)
            try:
                return await one_off.carry_out(context, replace(command, stdin=terminal or command.stdin), output.add)
            finally:
                orchestrator.failover.due(context.name)  # a standby inside which it ran can be parked

    try:
        orchestrator.gate.refuse_too_many(who, COMMANDS)  # others may have begun since it was admitted
    except TooManyStreams as error:
        yield _shown(orchestrator, problem_value(error))
        return
    task = asyncio.create_task(work())
    task.add_done_callback(lambda _task: output.add(None))
    try:
        if number:
            yield _shown(orchestrator, {"terminal": number})
        async with aclosing(while_allowed(orchestrator.gate, who, output.pieces(), COMMANDS)) as allowed:
            async for piece in allowed:
                # Bytes are as they are: a secret in them is not hidden, and base64 may look like one.
                yield as_line(piece) if piece and "output" in piece else _shown(orchestrator, piece or {})
        if not output.is_whole:
            # Also if the command has ended: by its exit code, what came would be taken for all of it.
            yield _shown(orchestrator, problem_value(_NO_LONGER_ALLOWED))
            return
        try:
            ended = task.result()
        except ChangeoverError as error:
            yield _shown(orchestrator, problem_value(error))
        else:
            yield _shown(orchestrator, {"exit_code": ended.exit_code, "late": ended.late})
    finally:
        output.leave()
        if terminal:
            terminal.hang_up()
        if not task.done():
            task.cancel()
            await in_spite_of_cancels(asyncio.wait([task]))
        if not task.cancelled():
            task.exception()  # looked at: nobody reads any more how it ended


def _shown(orchestrator: Orchestrator, value: dict[str, Any]) -> str:  # Any: JSON
    return shown(orchestrator.known_secrets, value)
