"""`changeover validate`: check a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from panel.cli import text
from panel.cli.output import USAGE, JsonOption, show, stop

CONFIG_FILE = Path("control-panel-config.yaml")

commands = typer.Typer()


@commands.command()
def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file.")] = CONFIG_FILE,
    as_json: JsonOption = False,
) -> None:
    """Check a configuration file without loading it. Notices do not change the exit code."""
    try:
        if file.exists() and not file.is_file():
            stop(f"{file} cannot be read: it is not a regular file.", USAGE)
        # As it is written: what is checked is what the orchestrator would read.
        raw = file.read_bytes()
        content = raw.decode()
    except OSError as error:
        where = "Run this in the folder of the configuration file, or name it: changeover validate FILE"
        stop(f"{file} cannot be read: {error.strerror}.\n{where}", USAGE)
    except UnicodeDecodeError as error:
        # In the words in which the orchestrator refuses such a file.
        line = raw[: error.start].count(b"\n") + 1
        why = f"not UTF-8 text: {error.reason} at byte {error.start}. Save the file as UTF-8"
        stop(f"{file.name}:{line}: {why}.", USAGE)
    found = show(
        lambda client: client.validate(content, file.name),
        as_json,
        lambda found: text.validation(str(file), found),
        markup=False,
    )
    if found.problems:
        raise typer.Exit(USAGE)
