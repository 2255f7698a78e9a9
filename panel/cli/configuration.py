"""`changeover validate`: check a configuration file."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from border.plain import plain_values
from panel.cli import text
from panel.cli.output import USAGE, JsonOption, err, show, stop
from panel.client.client import Client
from panel.client.errors import Unreachable
from panel.client.model import Validation

CHECKED_HERE = (
    "The file is checked by the orchestrator's program in this checkout. It was not compared with the apps that are "
    "live, and paths of repositories were not looked for."
)
WITHIN_S = 60.0
MOST_BYTES = 256 * 1024
"""A larger file is refused by the orchestrator, too (orchestrator/config/yaml_text.py)."""
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
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
        content = raw.decode() if len(raw) <= MOST_BYTES else ""
    except OSError as error:
        where = "Run this in the folder of the configuration file, or name it: changeover validate FILE"
        stop(f"{file} cannot be read: {error.strerror}.\n{where}", USAGE)
    except UnicodeDecodeError as error:
        # In the words in which the orchestrator refuses such a file.
        line = raw[: error.start].count(b"\n") + 1
        why = f"not UTF-8 text: {error.reason} at byte {error.start}. Save the file as UTF-8"
        stop(f"{file.name}:{line}: {why}.", USAGE)

    async def checked(client: Client) -> Validation:
        if len(raw) > MOST_BYTES:
            client.answer = {
                "problems": [f"{file.name}: the file is larger than {MOST_BYTES // 1024} kB"],
                "notices": [],
            }
            return Validation.model_validate(client.answer)
        try:
            return await client.validate(content, file.name)
        except Unreachable as error:
            found = _without_orchestrator(file)
            if found is None:
                raise
            err.print(f"{error.cause} {CHECKED_HERE}", style="yellow", markup=False)
            client.answer = found
            return Validation.model_validate(found)

    found = show(
        checked,
        as_json,
        lambda found: text.validation(str(file), found),
        markup=False,
    )
    if found.problems:
        raise typer.Exit(USAGE)


def _without_orchestrator(file: Path) -> Any:  # Any: JSON
    """The answer of the orchestrator's own check, where its program is installed beside this command; None otherwise.

    In a process of its own: the panel imports nothing of the orchestrator.
    """
    if find_spec("orchestrator") is None:
        return None
    # -P: never a package of this name in the folder that the person is in.
    command = [sys.executable, "-P", "-m", "orchestrator.config", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
        return plain_values(json.loads(done.stdout))
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
