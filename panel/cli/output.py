"""The output and exit code of a command: text for people, the API's JSON for programs.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 refused, because it is busy or there is nothing to roll
back to; 4 orchestrator unreachable, or token not accepted; 130 interrupted by Ctrl-C.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import re
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console, RenderableType

from border.plain import plain
from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.settings import configured_token, configured_url

FAILED, USAGE, REFUSED, INTERRUPTED = 1, 2, 3, 130
GOES_ON = (
    "What was asked for goes on without this command. See what becomes of it: changeover status, changeover history"
)
CTRL_C = (asyncio.CancelledError, KeyboardInterrupt)
"""As what Ctrl-C comes: at an await, or while a write waits for whoever reads the output."""
T = TypeVar("T")

AppArgument = Annotated[str, typer.Argument(metavar="APP", help="Name of the app.")]
PanelArgument = Annotated[str, typer.Argument(metavar="APP", help="Name of the app; without it, the panel itself.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the API's answer as JSON. Errors are text on standard error.")
]


def yes_option(what: str) -> Any:  # Any: typer's own type
    """The option that leaves out the question before `what`."""
    return typer.Option("--yes", help=f"Do not ask before {what}; for scripts.")


def value_option(help: str, metavar: str | None = None, *names: str) -> Any:  # Any: typer's own type
    """An option with a value, which is not empty where the option is given: a variable of a script may be."""
    return typer.Option(*names, help=help, metavar=metavar, callback=_refuse_empty)


def _refuse_empty(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    source = context.get_parameter_source(parameter.name or "")
    if not value.strip() and source and source.name == "COMMANDLINE":
        stop(
            f"{parameter.opts[0]} is given without a value: a variable of your script may be empty. "
            "Leave the option out to have its default.",
            USAGE,
        )
    return value


# A pipe has no width, and a folded table is hard to read for people and programs.
out = Console(highlight=False, emoji=False, soft_wrap=True, width=None if sys.stdout.isatty() else 400)
err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def run(ask: Callable[[Client], Awaitable[T]]) -> T:
    """The result of `ask` with a connected client. A ClientError ends the command with its message and exit code."""

    async def connected() -> T:
        _be_woken_by_signals()
        async with Client(configured_url(), configured_token()) as client:
            try:
                return await ask(client)
            except CTRL_C:
                if client.waits_for_a_change:
                    err.print(GOES_ON, style="yellow", markup=False)
                raise

    try:
        return asyncio.run(connected())
    except ClientError as error:
        stop("\n".join([error.cause, *(f"  │ {line}" for line in error.log), error.remedy]).strip(), error.exit_code)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _be_woken_by_signals() -> None:
    """Until the event loop is closed, every signal wakes it. Python acts on a signal only between two of its own
    instructions: Ctrl-C that comes just before the loop begins to wait, or to another thread, would be acted on when
    the next thing happens, which may be never. asyncio has that solved for as long as it handles one signal of its own
    (signal.set_wakeup_fd): this is one that nobody sends.
    """
    if threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGURG, lambda: None)


def show(
    ask: Callable[[Client], Awaitable[T]], as_json: bool, text: Callable[[T], RenderableType], *, markup: bool = True
) -> T:
    """Send a request, print the answer by `text` or as the API's complete JSON, and return it."""

    async def asked(client: Client) -> T:
        value = await ask(client)
        if as_json:
            print_json(client.answer)
        return value

    value = run(asked)
    if not as_json:
        says = text(value)
        if isinstance(says, str) and not markup:
            print_text(says)
        else:
            _print(says, markup=markup)
    return value


def _print(says: RenderableType, *, markup: bool) -> None:
    """Into a pipe without the blanks that fill the columns of a table up."""
    if out.is_terminal:
        out.print(says, markup=markup)
        return
    with out.capture() as captured:
        out.print(says, markup=markup)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), flush=True)


def print_text(text: str) -> None:
    """Text from outside, as it is: Rich makes blanks of its tabs."""
    print(text, flush=True)


def print_json(answer: Any) -> None:  # Any: JSON
    print(json_text(answer, indent=2))


def json_text(answer: Any, indent: int | None = None) -> str:  # Any: JSON
    """As it is where the output can have every letter, otherwise with escapes for those that are not ASCII. With an
    escape for what the runner of a CI job would obey: its value is the same."""
    text = json.dumps(answer, indent=indent, ensure_ascii=codecs.lookup(sys.stdout.encoding).name != "utf-8")
    return re.sub(
        r"##(?=\[)|section_(?:start|end)(?=:)", lambda found: f"{found[0][:-1]}\\u{ord(found[0][-1]):04x}", text
    )


def stop(message: str, exit_code: int) -> NoReturn:
    err.print(plain(message), style="red", markup=False)
    raise typer.Exit(exit_code)
