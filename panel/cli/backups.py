"""`changeover backup`: list, create, verify, delete, restore."""

from __future__ import annotations

from typing import Annotated

import typer

from panel.cli import backup_text, restored_configuration, text
from panel.cli.deployments import carry_out, confirm_restore
from panel.cli.output import USAGE, AppArgument, JsonOption, PanelArgument, run, show, stop, yes_option
from panel.cli.question import ask
from panel.clock import utc_now
from panel.text.backups import what_is_deleted

commands = typer.Typer(help="Back up and restore an app's data.", no_args_is_help=True)

BackupArgument = Annotated[str, typer.Argument(metavar="BACKUP", help="Id of the backup; 'backup list' has it.")]


@commands.command("list")
def list_backups(app: PanelArgument = "panel", as_json: JsonOption = False) -> None:
    """List an app's backups, the newest first."""
    show(lambda client: client.backups(app), as_json, lambda found: text.backups(app, found, utc_now()))


@commands.command("create")
def create(app: PanelArgument = "panel", as_json: JsonOption = False) -> None:
    """Back up an app's data while the app runs."""
    show(lambda client: client.create_backup(app), as_json, backup_text.new_backup)


@commands.command("verify")
def verify(app: AppArgument, backup: BackupArgument, as_json: JsonOption = False) -> None:
    """Read a whole backup and compare every file with its checksum."""
    says = f"[green]✓ Backup {backup} is complete, and every checksum matches.[/]"
    show(lambda client: client.verify_backup(app, backup), as_json, lambda _: says)


@commands.command("delete")
def delete(
    app: AppArgument,
    backup: BackupArgument,
    yes: Annotated[bool, yes_option("the backup is deleted")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a backup for ever. One that a rollback needs is not deleted."""
    if not yes:
        known = run(lambda client: client.backups(app))
        wanted = next((one for one in known if one.id == backup), None)
        if wanted is None:
            stop(f"{app} has no backup '{backup}'.\nList its backups: changeover backup list {app}", USAGE)
        ask(f"Delete backup {backup}?", what_is_deleted(wanted, known, utc_now()))
    says = f"[green]✓ Backup {backup} is deleted.[/]"
    show(lambda client: client.delete_backup(app, backup), as_json, lambda _: says)


@commands.command("extract")
def extract(
    app: AppArgument,
    backup: BackupArgument,
    part: Annotated[str, typer.Argument(metavar="PART", help="config or logs.")],
    as_json: JsonOption = False,
) -> None:
    """Print the configuration file, or the app's log, that a backup has."""
    show(lambda client: client.extract_backup(app, backup, part), as_json, backup_text.extracted, markup=False)


@commands.command("restore")
def restore(
    app: AppArgument,
    backup: BackupArgument,
    release: Annotated[bool, typer.Option("--release", help="Deploy the backup's release, too.")] = False,
    configuration: Annotated[
        bool, typer.Option("--configuration", help="Put the app's configuration back; its data stays as it is.")
    ] = False,
    yes: Annotated[bool, yes_option("data is replaced")] = False,
    as_json: JsonOption = False,
) -> None:
    """Replace an app's data with a backup. Requests are paused meanwhile; the replaced data is backed up first."""
    if configuration and release:
        stop("--configuration and --release are two restores. Put the configuration back first.", USAGE)
    if configuration:
        restored_configuration.put_back(app, backup, yes=yes, as_json=as_json)
        return
    if not yes:
        confirm_restore(app, backup, release=release)
    carry_out(app, lambda client: client.restore_backup(app, backup, release=release), as_json)
