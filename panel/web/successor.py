"""The release that has replaced the panel's own."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime

from rich.console import RenderableType

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.events import Draining
from panel.client.model import Deployment, DeploymentKind, DeploymentState
from panel.text.result import complete, failed

PANEL = "panel"
WITHIN_S = 1.0
LAST_FEW = 5
"""Deployments, of which the newest one that has switched is the one that replaced this release."""
SWITCHED = (DeploymentState.RUNNING, DeploymentState.LIVE)


@dataclass(frozen=True)
class Successor:
    """`made_by`: the deployment, rollback or restore that made it live."""

    made_by: Deployment

    @property
    def version(self) -> str:
        return self.made_by.version

    @property
    def title(self) -> str:
        return "UPDATE COMPLETE" if self._is_update else "THE PANEL WAS REPLACED"

    @property
    def says(self) -> RenderableType:
        return complete(self.made_by) if self._is_update else failed(self.made_by, None)

    @property
    def _is_update(self) -> bool:
        return self.made_by.kind == DeploymentKind.DEPLOY


async def successor(client: Client) -> Successor | None:
    """None if none is live, as while requests are paused for a migration, or if that is not known in time: then nobody
    is to be kept here."""
    mine = os.environ.get("CHANGEOVER_DEPLOYMENT", "")
    try:
        async with asyncio.timeout(WITHIN_S):
            found = (await client.history(PANEL, limit=LAST_FEW)).deployments
    except (ClientError, TimeoutError):
        return None
    if any(one.id == mine and one.slot == "active" for one in found):
        return None
    newest = next((one for one in found if one.live_at and one.state in SWITCHED), None)
    return Successor(newest) if newest and newest.id != mine else None


def stays_until(draining: Draining | None, told_at: datetime | None, now: datetime) -> str:
    """How long a person can stay with the old release, by what the drain told last."""
    if draining is None or told_at is None:
        return "until drain.timeout is over"
    left = draining.limit - draining.waited - (now - told_at).total_seconds()
    return f"for at most {max(0.0, left):.0f} s (drain.timeout)"
