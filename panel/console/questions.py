"""The questions before what has no key on the dashboard."""

from __future__ import annotations

from datetime import datetime

from panel.client.model import Backup
from panel.screens.question import AsksPlan, QuestionScreen
from panel.text.age import ago


def back_up(app: str) -> QuestionScreen:
    consequences = (f"The data of {app} is backed up while it runs.", f"The command: changeover backup create {app}")
    return QuestionScreen(f"BACK UP {app.upper()}", consequences, f"Back up {app} now?")


def restore(backup: Backup, now: datetime, plan: AsksPlan) -> QuestionScreen:
    since = f"Releases since then: {', '.join(backup.releases_since)}." if backup.releases_since else ""
    consequences = (
        f"Backup {backup.id} of {backup.version} was made {ago(backup.created_at, now)}.",
        f"Everything that {backup.app} wrote since then is replaced; it is backed up first. Requests wait meanwhile.",
        *((since,) if since else ()),
        *((f"The backup is damaged: {backup.problem}",) if backup.problem else ()),
        f"The command: changeover backup restore {backup.app} {backup.id}",
    )
    return QuestionScreen(f"RESTORE {backup.app.upper()}", consequences, f"Restore backup {backup.id}?", plan)


def skip(app: str, version: str, *, undo: bool) -> QuestionScreen:
    option = " --undo" if undo else ""
    does = (
        "is offered again, and installed by itself if that is configured"
        if undo
        else "is never offered nor installed by itself"
    )
    consequences = (f"{version} of {app} {does}.", f"The command: changeover skip {app} {version}{option}")
    title = f"OFFER {version} AGAIN" if undo else f"SKIP {version}"
    return QuestionScreen(
        title, consequences, f"Offer {version} of {app} again?" if undo else f"Skip {version} of {app}?"
    )
