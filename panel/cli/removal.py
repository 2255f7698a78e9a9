"""`changeover remove`: remove what an app has left that is not configured any more."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import text
from panel.cli.output import JsonOption, run, show, yes_option
from panel.cli.question import ask
from panel.client.model import Leftover

commands = typer.Typer()

KeepOption = Annotated[bool, typer.Option("--keep-backups", help="Keep the app's backups.")]


@commands.command()
def remove(
    app: Annotated[str, typer.Argument(metavar="APP", help="Name of the app, as 'changeover doctor' shows it.")],
    keep_backups: KeepOption = False,
    yes: Annotated[bool, yes_option("containers, data, images and backups are removed for ever")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove what an app has left after it was taken out of the configuration: containers, data, images, backups."""
    if not yes:
        left = run(lambda client: client.leftover(app))
        says = text.leftover(left, keep_backups)
        ask("Remove all of this for ever?", [says, *lost_with(left, keep_backups)])
    show(
        lambda client: client.remove_leftover(app, keep_backups=keep_backups),
        as_json,
        lambda _: (
            f"What {app} had left is removed. Its history {'and its backups are' if keep_backups else 'is'} kept."
        ),
        markup=False,
    )


def lost_with(left: Leftover, keep_backups: bool) -> list[str]:
    """A sentence about what of the data is lost; none if there is no data."""
    if not left.volumes:
        return []
    if not keep_backups:
        return [f"The data of {left.app} cannot be brought back."]
    if not left.backups:
        return [f"The data of {left.app} cannot be brought back: there is no backup of it."]
    return [
        f"Of the data of {left.app} what its backups have is kept: when the app is configured and deployed again, "
        f"changeover backup restore {left.app} BACKUP brings it back. What was written since the newest one is lost."
    ]
