"""Answers from an app's log."""

from __future__ import annotations

import re

from panel.console.answer import Answer
from panel.console.answers.asked import Asked

SHOWN = 40
ASKED = 2_000
"""Lines that are looked through for a word or a level."""
ALL_TIMES = "! The lines are not chosen by their time: the orchestrator gives the last ones of the log."
LEVELS = {
    "error": re.compile(r"\b(?:error|exception|fatal|critical|panic|traceback|fail(?:ed|ure))", re.IGNORECASE),
    "warning": re.compile(r"\bwarn", re.IGNORECASE),
}


async def logs(asked: Asked) -> Answer:
    values = asked.meant.values
    shown = min(int(values.get("number", SHOWN)), SHOWN)
    word, level = values.get("text", "").lower(), LEVELS.get(values.get("level", ""))
    found = (await asked.client.logs(asked.app, tail=ASKED if word or level else shown)).lines
    lines = [one for one in found if word in one.lower() and (level is None or level.search(one))]
    says = [ALL_TIMES] if asked.meant.moments else []
    says += lines[-shown:] or [f"None of the last {len(found)} lines."]
    return Answer("\n".join(says), asked.command_line(number=str(shown)))
