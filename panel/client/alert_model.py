"""Alerts and mutes, as the API answers. Unknown fields are ignored."""

from __future__ import annotations

from datetime import datetime

from panel.client.value import Value


class Alert(Value):
    """What went wrong. `kind`: deployment_failed, rolled_back, failed_over, outage or disk, or one of a newer
    orchestrator. `app` is empty for the whole host. `ended_at` is None while it goes on. `muted`: the app was muted
    when it began."""

    id: int
    kind: str
    app: str = ""
    began_at: datetime
    ended_at: datetime | None = None
    cause: str = ""
    deployment: str = ""
    muted: bool = False


class Alerts(Value):
    """A page, the newest first; `before` is that of the next page."""

    alerts: tuple[Alert, ...]
    before: int | None = None


class Mute(Value):
    """Until when the app is muted; None if it is not."""

    app: str
    muted_until: datetime | None = None
