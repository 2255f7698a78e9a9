"""`changeover run` and `exec`: one-off commands in an app's active release."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from typing import Annotated

import typer

from panel.cli.command_output import SIGPIPE, CommandOutput
from panel.cli.output import FAILED, USAGE, AppArgument, JsonOption, err, run, stop
from panel.cli.read_ahead import each, reading_ahead
from panel.cli.standard_streams import drop_the_rest
from panel.cli.terminal import carry_out, is_one
from panel.client.client import Client
from panel.client.errors import Unreachable
from panel.client.one_off import Piece

commands = typer.Typer()

MOST_OF_INPUT = 2**20

# Everything after the app is the command, its options included: `changeover run shop -- manage.py --help`.
AS_THEY_ARE = {"allow_interspersed_args": False}
CommandArgument = Annotated[list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")]
EnvOption = Annotated[list[str] | None, typer.Option("--env", metavar="NAME=VALUE", help="One more variable.")]
StdinOption = Annotated[bool, typer.Option("--stdin", "-i", help="Send the standard input, whole, up to 1 MiB.")]
TerminalOption = Annotated[
    bool,
    typer.Option(
        "--terminal", "-t", help="Give it this terminal: for commands that ask. What it shows is not filtered."
    ),
]
TimeoutOption = Annotated[float, typer.Option(help="Seconds after which it is killed.")]


@commands.command("run", context_settings=AS_THEY_ARE)
def run_command(
    app: AppArgument,
    command: CommandArgument,
    env: EnvOption = None,
    timeout: TimeoutOption = 3600,
    stdin: StdinOption = False,
    terminal: TerminalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a command in a new container of the live release: its environment, data and limits.

    The exit code is that of the command. Into a file or a pipe, its standard output goes whole and byte for byte. A
    terminal, and --json, get 5,000 lines of 4 KiB at most, without control characters and known secrets; so does
    standard error. For example: changeover run -t shop -- python manage.py createsuperuser
    """
    _carry_out("run", app, command, env or [], timeout, stdin=stdin, terminal=terminal, as_json=as_json)


@commands.command("exec", context_settings=AS_THEY_ARE)
def exec_command(
    app: AppArgument,
    command: CommandArgument,
    env: EnvOption = None,
    timeout: TimeoutOption = 3600,
    stdin: StdinOption = False,
    terminal: TerminalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a command inside the live container. The exit code is that of the command.

    Into a file or a pipe, its standard output goes whole and byte for byte: changeover exec shop -- pg_dump > dump.sql
    A terminal, and --json, get 5,000 lines of 4 KiB at most, without control characters and known secrets; so does
    standard error.

    With input, for example: changeover exec --stdin shop -- psql shop < orders.sql
    At this terminal: changeover exec -t shop -- sh
    """
    _carry_out("exec", app, command, env or [], timeout, stdin=stdin, terminal=terminal, as_json=as_json)


def _must_have_a_terminal(*, as_json: bool) -> None:
    if as_json:
        stop("--terminal cannot be used with --json.", USAGE)
    if not is_one():
        stop("--terminal needs a terminal at both ends: this is a pipe. Leave it out, or use --stdin.", USAGE)


def _input() -> bytes:
    """All of the standard input; on a terminal until Ctrl-D. It is read before the command starts."""
    if sys.stdin.isatty():
        err.print("Type the input, and end it by Ctrl-D on a line of its own.", style="bright_black")
    try:
        content = sys.stdin.buffer.read(MOST_OF_INPUT + 1)
    except OSError as error:
        stop(f"The standard input cannot be read: {error.strerror}. Send a file or a pipe to it.", USAGE)
    if len(content) > MOST_OF_INPUT:
        stop("The input is longer than 1 MiB. Put it where the app can read it, such as its data volume.", USAGE)
    return content


def _carry_out(
    place: str,
    app: str,
    command: list[str],
    env: list[str],
    timeout_s: float,
    *,
    stdin: bool,
    terminal: bool,
    as_json: bool,
) -> None:
    if command[0].startswith("-") and command[0] != "--":
        stop(
            f"{command[0]} stands after APP, where the command begins: options go before APP. "
            f"Write: changeover {place} {command[0]} … {app} -- COMMAND",
            USAGE,
        )
    if command[0] == "--":  # what follows it is left alone anyway
        command = command[1:]
    if not command:
        stop("There is no command.", USAGE)
    variables = dict(one.partition("=")[::2] for one in env)
    if any("=" not in one for one in env):
        stop("--env needs NAME=VALUE.", USAGE)
    if terminal:
        _must_have_a_terminal(as_json=as_json)
    # With both, as in `docker run -it`, the terminal is the input.
    content = _input() if stdin and not terminal else None

    in_bytes = not as_json and not sys.stdout.isatty()
    output = CommandOutput(as_json=as_json, in_bytes=in_bytes)

    async def ask(client: Client) -> int | None:
        if terminal:
            last = await carry_out(client, app, place, command, variables, timeout_s)
        else:
            asked = client.one_off(app, place, command, variables, timeout_s, content, in_bytes=in_bytes)
            last = await _printed(client, asked, output)
        if last and last.late:
            err.print(f"Killed after {timeout_s:g} s. Raise --timeout if it needs longer.", style="red")
        if last is None or last.exit_code is None:
            return None
        return output.exit_code(last.exit_code, late=last.late)

    code = run(ask)
    if code is None:
        stop(
            "The connection ended before the command did: what it printed is not whole. It is ended when its output "
            "cannot be sent. Run it again.",
            FAILED,
        )
    if code:
        raise typer.Exit(code)


async def _printed(client: Client, asked: AsyncGenerator[Piece, None], output: CommandOutput) -> Piece | None:
    """The last piece, when all is printed. What cannot be written ends the command."""
    last: Piece | None = None
    try:
        async with reading_ahead() as (ahead, reader):
            try:
                async for last in each(asked, ahead):
                    await ahead.put(output.shown(last, client.answer))
                await ahead.put(output.rest())
            except Unreachable as error:
                raise reader.explains(error, "The output is not whole, and the command was ended") from error
    except BrokenPipeError:
        drop_the_rest()
        raise typer.Exit(SIGPIPE) from None
    except OSError as error:
        stop(
            f"The output cannot be written: {error.strerror}. What was written is not whole, and the command is ended. "
            "Make room, or choose another place.",
            FAILED,
        )
    return last
