"""`changeover doctor`: check the installation."""

from __future__ import annotations

import typer

from panel.cli import text
from panel.cli.output import FAILED, JsonOption, show

commands = typer.Typer()


@commands.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check engine, proxy, disk, configuration, journal and apps, and print a remedy for each problem."""
    findings = show(lambda client: client.doctor(), as_json, text.findings)
    if not all(finding.well for finding in findings):
        raise typer.Exit(FAILED)
