"""Answers about the installation: what the doctor finds, and who did what."""

from __future__ import annotations

from panel.cli import text
from panel.console.answer import Answer, columns, of_markup
from panel.console.answers.asked import Asked

SHOWN = 20


async def doctor(asked: Asked) -> Answer:
    return Answer(of_markup(text.findings(await asked.client.doctor())), asked.command_line())


async def audit(asked: Asked) -> Answer:
    page = await asked.client.audit(SHOWN)
    rows = [(asked.at(one.at), one.who or "–", one.outcome, one.action, one.reason) for one in page.entries]
    return Answer(columns(rows) if rows else "Nothing is on record yet.", asked.command_line())
