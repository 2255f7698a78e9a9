"""`changeover token`: create, list, revoke."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from panel.cli import text
from panel.cli.output import USAGE, JsonOption, run, show, stop, value_option, yes_option
from panel.cli.question import ask

commands = typer.Typer(help="Manage the tokens of people and CI jobs.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the token.")]


@commands.command("create")
def create(
    name: NameArgument,
    scope: Annotated[str, value_option("read, deploy or admin; each includes those before it.")] = "deploy",
    app: Annotated[list[str] | None, typer.Option(help="Only for this app. Can be given several times.")] = None,
    expires: Annotated[str, value_option("For example 90d, 12h or 30m; or never.", "DURATION")] = "never",
    as_json: JsonOption = False,
) -> None:
    """Create a token and print it. It cannot be printed again."""
    expires_in_s = _seconds(expires)
    show(lambda client: client.create_token(name, scope, app or (), expires_in_s), as_json, str, markup=False)


@commands.command("list")
def list_tokens(as_json: JsonOption = False) -> None:
    """List all tokens by name, scope, apps and expiry, without the secrets."""
    show(lambda client: client.tokens(), as_json, text.tokens)


@commands.command("revoke")
def revoke(
    name: NameArgument,
    yes: Annotated[bool, yes_option("the token is revoked, with what it has open")] = False,
    as_json: JsonOption = False,
) -> None:
    """Revoke a token. It is refused from now on."""
    # Of one that does not exist the orchestrator says so.
    if not yes and any(one.name == name for one in run(lambda client: client.tokens())):
        ask(f"Revoke token {name}?", ["What uses it is refused at once, and its sessions of the panel end."])
    show(lambda client: client.revoke_token(name), as_json, lambda _: f"Token {name} is revoked.", markup=False)


UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


def _seconds(duration: str) -> int | None:
    """A duration in seconds; None for never."""
    if duration == "never":
        return None
    found = re.fullmatch(r"([0-9]{1,9})([smhdw])", duration)
    if found and not int(found[1]):
        stop(f"--expires {duration} would expire at once. Use a longer time, such as 90d, 12h or 30m.", USAGE)
    if not found:
        stop(f"--expires '{duration}' is not a duration. Use a number and a unit, such as 90d, 12h or 30m.", USAGE)
    return int(found[1]) * UNITS_S[found[2]]
