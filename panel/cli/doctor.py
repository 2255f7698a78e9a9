"""`changeover doctor`: is everything as it must be?"""

from __future__ import annotations

import typer

from panel.cli import text
from panel.cli.output import FAILED, JsonOption, show

commands = typer.Typer()


@commands.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check engine, proxy, disk, configuration, journal and apps, and say what to do where something is wrong."""
    findings = show(lambda client: client.doctor(), as_json, text.findings)
    if not all(finding.well for finding in findings):
        raise typer.Exit(FAILED)
