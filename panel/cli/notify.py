"""`changeover notify test`: whether notices arrive."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli.output import FAILED, JsonOption, show
from panel.text import notice_test

commands = typer.Typer(help="Notices to people by mail, chat and other services.", no_args_is_help=True)


@commands.command("test")
def send_test(
    app: Annotated[
        str, typer.Argument(metavar="APP", help="Only the services that are told what happens to this app.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Send a test to every service, and print what each answered.

    Exit codes: 0 all took it; 1 one did not, or a file of URLs is not as it should be; 3 nobody is told anything.
    """
    found = show(lambda client: client.test_notices(app), as_json, lambda tested: "\n".join(notice_test.lines(tested)))
    if not found.is_well:
        raise typer.Exit(FAILED)
