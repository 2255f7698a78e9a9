"""`changeover run` and `exec`: one-off commands in an app's active release."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from panel.cli.output import FAILED, USAGE, AppArgument, JsonOption, err, out, run, stop
from panel.client.client import Client

commands = typer.Typer()

MOST_OF_INPUT = 2**20

# Everything after the app is the command, its options included: `changeover run shop -- manage.py --help`.
AS_THEY_ARE = {"allow_interspersed_args": False}
CommandArgument = Annotated[list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")]
EnvOption = Annotated[list[str] | None, typer.Option("--env", metavar="NAME=VALUE", help="One more variable.")]
StdinOption = Annotated[bool, typer.Option("--stdin", "-i", help="Send the standard input, whole, up to 1 MiB.")]
TimeoutOption = Annotated[float, typer.Option(help="Seconds after which it is killed.")]


@commands.command("run", context_settings=AS_THEY_ARE)
def run_command(
    app: AppArgument,
    command: CommandArgument,
    env: EnvOption = None,
    timeout: TimeoutOption = 3600,
    stdin: StdinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a command in a new container of the live release: its environment, data and limits.

    The exit code is that of the command. For example: changeover run shop -- python manage.py check
    """
    _carry_out("run", app, command, env or [], timeout, as_json, _input() if stdin else None)


@commands.command("exec", context_settings=AS_THEY_ARE)
def exec_command(
    app: AppArgument,
    command: CommandArgument,
    env: EnvOption = None,
    timeout: TimeoutOption = 3600,
    stdin: StdinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a command inside the live container. The exit code is that of the command.

    With input, for example: changeover exec --stdin shop -- psql shop < orders.sql
    """
    _carry_out("exec", app, command, env or [], timeout, as_json, _input() if stdin else None)


def _input() -> bytes:
    """All of the standard input; on a terminal until Ctrl-D. It is read before the command starts."""
    if sys.stdin.isatty():
        err.print("Type the input, and end it by Ctrl-D on a line of its own.", style="bright_black")
    content = sys.stdin.buffer.read(MOST_OF_INPUT + 1)
    if len(content) > MOST_OF_INPUT:
        stop("The input is longer than 1 MiB. Put it where the app can read it, such as its data volume.", USAGE)
    return content


def _carry_out(
    place: str, app: str, command: list[str], env: list[str], timeout_s: float, as_json: bool, stdin: bytes | None
) -> None:
    if command[0] == "--":  # what follows it is left alone anyway
        command = command[1:]
    if not command:
        stop("There is no command.", USAGE)
    variables = dict(one.partition("=")[::2] for one in env)
    if any("=" not in one for one in env):
        stop("--env needs NAME=VALUE.", USAGE)

    async def ask(client: Client) -> int | None:
        code = None
        async for piece in client.one_off(app, place, command, variables, timeout_s, stdin):
            if as_json:
                print(json.dumps(client.answer, ensure_ascii=False), flush=True)
            elif piece.line is not None:
                out.print(piece.line, markup=False)
            if piece.exit_code is not None:
                code = piece.exit_code
                if piece.late:
                    err.print(f"Killed after {timeout_s:g} s. Raise --timeout if it needs longer.", style="red")
        return code

    code = run(ask)
    if code is None:
        stop("The connection ended before the command did. It is ended when its output cannot be sent.", FAILED)
    if code:
        raise typer.Exit(code)
