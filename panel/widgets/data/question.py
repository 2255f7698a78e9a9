"""The questions before backups are made, checked, restored or deleted: what happens, how long it takes, what it costs,
and the command that does the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from panel.client.client import Client
from panel.client.model import Backup, Deployment, DeploymentKind, DeploymentState, Plan, StepState
from panel.screens.question import AsksPlan, QuestionScreen
from panel.text.backups import loss, what_is_deleted
from panel.text.length import length
from panel.text.size import size

LOOKED_AT = 50
"""So many of the newest deployments are looked at for how long the same took the last time."""


def create(client: Client, app: str) -> QuestionScreen:
    consequences = (
        f"The data of {app} is copied while it runs; no request waits. Older backups are removed by the rule of "
        "update.backup.keep_backups.",
        _command("create", app),
    )
    asks = _with_length(client, app, "backup")
    return QuestionScreen(f"BACK UP {app.upper()}", consequences, f"Back up {app} now?", asks)


def verify(app: str, backup: Backup) -> QuestionScreen:
    consequences = (
        f"All {size(backup.archive_size)} of backup {backup.id} are read and compared with its checksums. It is read "
        "gently: some seconds for each gigabyte on an idle disk. Nothing is changed.",
        _command("verify", app, backup.id),
    )
    return QuestionScreen(f"VERIFY A BACKUP OF {app.upper()}", consequences, f"Verify backup {backup.id}?")


def restore(client: Client, app: str, backup: Backup, now: datetime) -> QuestionScreen:
    consequences = (*loss(backup, now), _command("restore", app, backup.id))
    asks = _with_length(client, app, "restore")
    return QuestionScreen(f"RESTORE A BACKUP OF {app.upper()}", consequences, f"Restore backup {backup.id}?", asks)


def delete(app: str, backup: Backup, all_backups: Sequence[Backup], now: datetime) -> QuestionScreen:
    consequences = (
        *what_is_deleted(backup, all_backups, now),
        "It takes about a second, and cannot be undone.",
        _command("delete", app, backup.id),
    )
    return QuestionScreen(f"DELETE A BACKUP OF {app.upper()}", consequences, f"Delete backup {backup.id} for ever?")


def _command(does: str, *names: str) -> str:
    return f"The same as: {' '.join(('changeover backup', does, *names))}"


def _with_length(client: Client, app: str, what: str) -> AsksPlan:
    """Asks how long the same took the last time and, of a restore, what it costs those who are connected."""

    async def ask() -> Plan:
        plan = await client.plan(app, "restore") if what == "restore" else Plan(app=app, kind=what, steps=())
        past = (await client.history(app, limit=LOOKED_AT)).deployments
        took = last_restore(past) if what == "restore" else last_backup(past)
        says = took or f"How long it takes is not known: the last {LOOKED_AT} deployments have none that is like it."
        return plan.model_copy(update={"cost": (says, *plan.cost)})

    return ask


def last_restore(past: Sequence[Deployment]) -> str:
    """How long the last restore took, of deployments with the newest first; empty if there was none."""
    for one in past:
        if one.kind == DeploymentKind.RESTORE and one.state == DeploymentState.LIVE and one.seconds is not None:
            waited = f", and requests waited for {length(one.paused)} of it" if one.paused is not None else ""
            return f"The last restore took {length(one.seconds)}{waited}."
    return ""


def last_backup(past: Sequence[Deployment]) -> str:
    """How long the last backup before a deployment took; empty if there was none."""
    for one in past:
        for step in one.steps:
            if step.name == "backup" and step.state == StepState.DONE and step.seconds:
                return f"The last backup, before {one.kind} {one.id}, took {length(step.seconds)}."
    return ""
