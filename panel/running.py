"""What every command shares: a connected client, JSON or text, and the exit codes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console

from panel import show
from panel.client import Client, configured_token, configured_url
from panel.errors import ClientError
from panel.model import Deployment, Event

FAILED, USAGE, REFUSED = 1, 2, 3
T = TypeVar("T")

# In a pipe there is no width to keep to, and a folded table is hard to read for people and programs alike.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 400)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def run(ask: Callable[[Client], Awaitable[T]]) -> T:
    """Do it with a connected client; an error ends the command with its message and exit code."""

    async def connected() -> T:
        async with Client(configured_url(), configured_token()) as client:
            return await ask(client)

    try:
        return asyncio.run(connected())
    except ClientError as error:
        stop("\n".join([error.cause, *(f"  │ {line}" for line in error.log), error.remedy]).strip(), error.exit_code)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def finish(deployment: Deployment, as_json: bool) -> None:
    if as_json:
        print_json(deployment.model_dump(mode="json"))
    else:
        out.print(show.outcome(deployment))
    if deployment.state == "superseded":
        raise typer.Exit(REFUSED)
    if deployment.state in ("failed", "cancelled"):
        raise typer.Exit(FAILED)


def print_event(event: Event, as_json: bool) -> None:
    if as_json:
        print(event.model_dump_json(), flush=True)
    else:
        out.print(show.dated_event(event))


def print_json(value: dict[str, Any] | BaseModel | None) -> None:  # Any: JSON
    print(json.dumps(value, indent=2, default=str))


def stop(message: str, exit_code: int) -> NoReturn:
    err.print(message, style="red", markup=False)
    raise typer.Exit(exit_code)
