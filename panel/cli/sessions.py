"""`changeover session`: the open sessions of the panel."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import text
from panel.cli.output import JsonOption, run, show, yes_option
from panel.cli.question import ask

commands = typer.Typer(help="See and end the open sessions of the panel.", no_args_is_help=True)


@commands.command("list")
def list_sessions(as_json: JsonOption = False) -> None:
    """List the open sessions of the panel, the last used first. Requires the scope admin."""
    show(lambda client: client.sessions(), as_json, text.sessions)


@commands.command("end")
def end(
    session: Annotated[str, typer.Argument(metavar="ID", help="Id of the session, from 'changeover session list'.")],
    yes: Annotated[bool, yes_option("the session is ended, with its open pages")] = False,
    as_json: JsonOption = False,
) -> None:
    """End a session. Its pages are closed within 15 seconds, and its browser has to sign in again."""
    # Of one that does not exist the orchestrator says so.
    if not yes and any(one.id == session for one in run(lambda client: client.sessions())):
        ask(f"End session {session}?", ["Its pages are closed, and its browser has to sign in again."])
    show(
        lambda client: client.end_session_of(session),
        as_json,
        lambda _: f"Session {session} has ended.",
        markup=False,
    )
