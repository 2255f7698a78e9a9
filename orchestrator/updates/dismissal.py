"""What a person does not want to see for 24 hours."""

from __future__ import annotations

from orchestrator.domain.events import Dismissed
from orchestrator.domain.release import Release
from orchestrator.errors import Refused
from orchestrator.events.stream import EventStream
from orchestrator.updates.remembered import Remembered, is_same


async def dismiss(app: str, shown: Release | None, version: str, remembered: Remembered, events: EventStream) -> None:
    """Dismiss the release that is `shown` of the app. `version` is what the person saw; empty: whatever is shown.

    What came meanwhile was not seen, and is not dismissed: raises Refused, unless that version is dismissed already.
    Raises JournalError.
    """
    if version and (shown is None or not is_same(shown.version, version)):
        if remembered.is_dismissed(app, version):
            return
        raise Refused(
            f"{version} of {app} is not shown any more, and is not dismissed.",
            f"See what is offered now: changeover status {app}",
        )
    if shown and not (version and remembered.is_dismissed(app, shown.version)):
        await remembered.dismiss(app, shown.version)
        await events.publish(Dismissed(shown.version), app)
