"""Which function answers which command."""

from __future__ import annotations

from panel.console.answers import data, deployments, explained, installation, logs, sources, state
from panel.console.answers.asked import Answers

ANSWERS: dict[str, Answers] = {
    "status": state.status,
    "live": state.live,
    "trouble": state.trouble,
    "updates": state.updates,
    "open": state.address,
    "follow": state.follow,
    "why": deployments.why,
    "show": deployments.show,
    "history": deployments.history,
    "changed": deployments.changed,
    "logs": logs.logs,
    "check": sources.check,
    "versions": sources.versions,
    "backups": data.backups,
    "migrations": data.migrations,
    "doctor": installation.doctor,
    "audit": installation.audit,
    "help": explained.explained,
}
