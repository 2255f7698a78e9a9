"""Answers from an app's log."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from panel.client.log_requests import LogQuery
from panel.console.answer import Answer
from panel.console.answers.asked import Asked

SHOWN = 40
NONE = "No line of the log is so."


async def logs(asked: Asked) -> Answer:
    values = asked.meant.values
    shown = max(1, min(int(values.get("number", SHOWN)), SHOWN))
    since, until = (_in_utc(asked.meant.moments.get(name)) for name in ("when", "until"))
    query = LogQuery(since=since, until=until, level=values.get("level", ""), search=values.get("text", ""))
    found = await asked.client.logs(asked.app, shown, query)
    says = "\n".join([*found.lines, *(f"! {one}" for one in found.left_out or ())])
    line = asked.command_line(number=str(shown), since=since, until=until, text=_quoted(query.search))
    return Answer(says or NONE, line)


def _in_utc(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else ""
