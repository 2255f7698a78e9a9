"""The text that the command prints of one backup: a new one, and what is taken out of one."""

from __future__ import annotations

from border.plain import one_line
from panel.client.backup_model import Extract
from panel.client.model import Backup
from panel.text.counted import counted
from panel.text.markup import inline
from panel.text.size import size


def new_backup(made: Backup) -> str:
    holds = f"{counted(made.files, 'file')}, {size(made.data_size)}"
    lines = [f"[green]✓ Backup {inline(made.id)} is created: {holds}.[/]"]
    if made.left_out:
        names = inline(", ".join(made.left_out))
        lines.append(
            f"[yellow]! Not in the backup: links that point outside of the data, devices, pipes and sockets: {names}[/]"
        )
    lines += [f"[yellow]! In the backup, {inline(note)}.[/]" for note in made.notes]
    if made.keep_backups:
        lines.append(
            f"  It is kept while it is one of the newest {made.keep_backups} that were made by hand, or the first of "
            f"one of the last {made.keep_backups} days with backups (update.backup.keep_backups)."
        )
    return "\n".join(lines)


def extracted(found: Extract) -> str:
    """The files one after the other, with their names if there are several."""
    if len(found.files) == 1:
        return found.files[0].text.rstrip("\n")
    return "\n".join(f"==> {one_line(one.name)} <==\n{one.text}" for one in found.files)
