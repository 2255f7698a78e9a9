"""An orchestrator that kills itself at a chosen point: `python -m tests.support.crash_points`.

CRASH_AT names the point as "step:moment".

`begun`: its intent is in the journal and nothing is done. `unrecorded`: it is done and that is not in the journal yet.
`switch:files` is between the proxy's files and the running proxy.
"""

from __future__ import annotations

import os
import signal
import sys

from orchestrator.__main__ import main
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import StepName, StepState
from orchestrator.journal.store import Journal
from orchestrator.proxy.routes import Server
from orchestrator.proxy.traffic import Proxy

STEP, MOMENT = os.environ["CRASH_AT"].split(":")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class CrashingJournal(Journal):
    def step_started(self, deployment_id: str, name: StepName) -> None:
        super().step_started(deployment_id, name)
        if name == STEP and MOMENT == "begun":
            die()

    def step_ended(self, deployment_id: str, name: StepName, state: StepState, note: str = "") -> None:
        if name == STEP and MOMENT == "unrecorded" and state is StepState.DONE:
            die()
        super().step_ended(deployment_id, name, state, note)


class CrashingProxy(Proxy):
    switching = False

    async def switch(self, app: str, colour: Colour, server: Server) -> None:
        self.switching = True
        await super().switch(app, colour, server)

    async def _set_map(self, file: str, key: str, value: str) -> None:
        if self.switching and MOMENT == "files":
            die()
        await super()._set_map(file, key, value)


if __name__ == "__main__":
    import orchestrator.server as composition

    composition.Journal = CrashingJournal  # type: ignore[attr-defined]
    composition.Proxy = CrashingProxy  # type: ignore[attr-defined]
    sys.exit(main())
