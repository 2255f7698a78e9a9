"""What happened to the panel while a session was saved and continued in another release."""

from __future__ import annotations

from panel.client.model import App, Deployment, DeploymentKind, DeploymentState

AFTER: dict[str, str] = {
    DeploymentKind.DEPLOY: "update",
    DeploymentKind.ROLLBACK: "rollback",
    DeploymentKind.RESTORE: "restore",
}
STANDBY = "standby"
DONE = (DeploymentState.RUNNING, DeploymentState.LIVE)
"""States of a deployment that has switched, or does so now."""


def resumed(before: str, now: str, panel: App | None, newest: Deployment | None) -> str:
    """A sentence. `before` and `now` are the releases of the session; `panel` is the app, and `newest` its newest
    deployment, rollback or restore that made `now` live. None: not known, as where the token is for another app."""
    if panel and panel.health == STANDBY:
        return f"! Resumed in the standby, {now}: the active release does not answer."
    if newest is None or newest.kind not in AFTER:
        return f"Resumed in {now}; the session was begun in {before or 'another release'}."
    return f"✓ Resumed after {AFTER[newest.kind]} to {now}"
