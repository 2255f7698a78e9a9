"""`changeover token`: create, list, revoke."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import text
from panel.cli.output import JsonOption, show

commands = typer.Typer(help="Manage the tokens of people and CI jobs.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the token.")]


@commands.command("create")
def create(
    name: NameArgument,
    scope: Annotated[str, typer.Option(help="read, deploy or admin; each includes those before it.")] = "deploy",
    as_json: JsonOption = False,
) -> None:
    """Create a token and print it. It cannot be printed again."""
    show(lambda client: client.create_token(name, scope), as_json, str, markup=False)


@commands.command("list")
def list_tokens(as_json: JsonOption = False) -> None:
    """List all tokens by name and scope, without the secrets."""
    show(lambda client: client.tokens(), as_json, text.tokens, markup=False)


@commands.command("revoke")
def revoke(name: NameArgument, as_json: JsonOption = False) -> None:
    """Revoke a token. It is refused from now on."""
    show(lambda client: client.revoke_token(name), as_json, lambda _: f"Token {name} is revoked.", markup=False)
