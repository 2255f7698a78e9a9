"""Answers about an app's data: backups and migrations."""

from __future__ import annotations

from panel.client.model import Backup
from panel.console.answer import Answer, columns, of_markup
from panel.console.answers.asked import Asked
from panel.text.migrations import migrations as migrations_in_markup
from panel.text.size import size

SHOWN = 20


async def backups(asked: Asked) -> Answer:
    found = await asked.client.backups(asked.app)
    if not found:
        return Answer(f"{asked.app} has no backups. Make one: back up {asked.app}", asked.command_line())
    lines = [columns([_row(one, asked) for one in found[:SHOWN]])]
    lines += [f"{len(found) - SHOWN} older ones."] if len(found) > SHOWN else []
    return Answer("\n".join(lines), asked.command_line())


async def migrations(asked: Asked) -> Answer:
    found = await asked.client.migrations(asked.app)
    return Answer(of_markup(migrations_in_markup(found, asked.now)), asked.command_line())


def _row(one: Backup, asked: Asked) -> tuple[str, ...]:
    made = asked.at(one.created_at) if one.created_at else "–"
    state = f"✗ {one.problem}" if one.problem else one.reason
    return (one.id, made, one.version, size(one.archive_size), state)
