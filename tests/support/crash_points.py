"""An orchestrator that kills itself at a chosen point: `python -m tests.support.crash_points`.

CRASH_AT names the point as "step:moment".

`begun`: its intent is in the journal and nothing is done. `unrecorded`: it is done and that is not in the journal yet.
`switch:files` is between the proxy's files and the running proxy. `data:unrecorded`: a backup is put in place, and that
is not in the journal yet.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable

from orchestrator.__main__ import main
from orchestrator.domain.deployment import StepState
from orchestrator.domain.events import EventKind, NewEvent
from orchestrator.domain.schema_history import Outcome, SchemaRevision
from orchestrator.journal.store import Journal
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import Server

STEP, MOMENT = os.environ["CRASH_AT"].split(":")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _is_told(events: list[NewEvent], state: StepState) -> bool:
    wanted = {"step": STEP, "state": state}
    return any(one.kind is EventKind.STEP and wanted.items() <= one.fields.items() for one in events)


class CrashingJournal(Journal):
    def append_events(self, events: Iterable[NewEvent], with_record: Callable[[], None] | None = None) -> None:
        told = list(events)
        if MOMENT == "unrecorded" and _is_told(told, StepState.DONE):
            die()
        super().append_events(told, with_record)
        if MOMENT == "begun" and _is_told(told, StepState.RUNNING):
            die()

    def migration_ended(self, run: int, outcome: Outcome, revisions: Iterable[SchemaRevision], note: str = "") -> None:
        if STEP == "data" and outcome is Outcome.DONE and note.startswith("backup "):
            die()
        super().migration_ended(run, outcome, revisions, note)


class CrashingProxy(HAProxy):
    async def _send_traffic(self, app: str, backend: str, server: Server) -> None:
        if MOMENT == "files":
            die()
        await super()._send_traffic(app, backend, server)


if __name__ == "__main__":
    import orchestrator.server as composition

    composition.Journal = CrashingJournal  # type: ignore[attr-defined]
    composition.HAProxy = CrashingProxy  # type: ignore[attr-defined]
    sys.exit(main())
