"""Answers about an app's source: what an update would bring, and which versions there are."""

from __future__ import annotations

from panel.cli import text
from panel.console.answer import Answer, columns, of_markup
from panel.console.answers.asked import Asked
from panel.text.age import ago
from panel.text.versions import in_words

SHOWN = 20
NONE = "–"


async def check(asked: Asked) -> Answer:
    """It may take minutes: a large repository is fetched for it."""
    update = await asked.client.check(asked.app)
    app = await asked.one()
    says = text.update(app.name, update, asked.now, app) if update else text.up_to_date(app)
    return Answer(of_markup(says), asked.command_line())


async def versions(asked: Asked) -> Answer:
    found = await asked.client.versions(asked.app)
    rows = [
        (one.version, ago(one.released_at, asked.now) if one.released_at else NONE, in_words(one) or NONE, one.ref)
        for one in found[:SHOWN]
    ]
    lines = [columns(rows)] if rows else [f"The source of {asked.app} has no versions."]
    lines += [f"{len(found) - SHOWN} older ones."] if len(found) > SHOWN else []
    return Answer("\n".join(lines), asked.command_line())
