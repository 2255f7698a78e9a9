"""What a session that goes on in another release is told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.model import App
from panel.text.resumed import DONE, resumed
from panel.version import release

PANEL = "panel"
"""The name of the panel as an app."""
LAST_FEW = 5
"""Deployments in which the one is looked for that brought the release that is live."""


async def what_happened(client: Client, apps: Sequence[App], before: str) -> str:
    """Why the session goes on in another release than `before`, that in which it was saved."""
    newest = None
    with suppress(ClientError):  # a token for another app may not know
        found = await client.history(PANEL, limit=LAST_FEW)
        newest = next((one for one in found.deployments if one.version == release() and one.state in DONE), None)
    panel = next((app for app in apps if app.name == PANEL), None)
    return resumed(before, release(), panel, newest)
