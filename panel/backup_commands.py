"""`changeover backup`: list, create, verify, restore."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from panel import show
from panel.running import finish, out, print_json, run

backup = typer.Typer(help="Backups of an app's data.", no_args_is_help=True)

App = Annotated[str, typer.Argument(help="The app; the panel when not given.")]
Id = Annotated[str, typer.Argument(help="The backup's id, from 'backup list'.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@backup.command("list")
def list_backups(app: App = "panel", as_json: Json = False) -> None:
    """List an app's backups, the newest first."""
    found = run(lambda client: client.backups(app))
    if as_json:
        print_json({"backups": [one.model_dump(mode="json") for one in found]})
    elif not found:
        out.print(f"{app} has no backups: changeover backup create {app}")
    else:
        out.print(show.backups_table(found))


@backup.command("create")
def create(app: App = "panel", as_json: Json = False) -> None:
    """Back an app's data up now, while it goes on."""
    made = run(lambda client: client.create_backup(app))
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        out.print(f"[green]✓ Backup {made.id}: {made.files} files, {show.size(made.data_size)}.[/]")
        if made.left_out:
            left_out = escape(", ".join(made.left_out))
            out.print(f"[yellow]! Not in it, because these links lead out of the data: {left_out}[/]")


@backup.command("verify")
def verify(app: App, backup_id: Id, as_json: Json = False) -> None:
    """Read every byte of a backup and check it."""
    checked = run(lambda client: client.verify_backup(app, backup_id))
    if as_json:
        print_json(checked.model_dump(mode="json"))
    else:
        out.print(f"[green]✓ {checked.id} is whole.[/]")


@backup.command("restore")
def restore(
    app: App,
    backup_id: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup back. Requests wait meanwhile; what it replaces is kept as a backup."""
    known = run(lambda client: client.backups(app))
    wanted = next((one for one in known if one.id == backup_id), None)
    if wanted and not yes:
        out.print(show.loss(wanted), markup=False)
        typer.confirm("Restore it?", abort=True)
    finish(run(lambda client: client.restore_backup(app, backup_id)), as_json)
