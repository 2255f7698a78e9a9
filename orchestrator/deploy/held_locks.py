"""Whether the standby holds locks on the app's data, seen by a sidecar beside it (orchestrator/lock_sidecar)."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from types import TracebackType

from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.engine.base import ContainerSpec, Role
from orchestrator.errors import EngineError, StepFailed
from orchestrator.host.uninterrupted import until_ended
from orchestrator.lock_sidecar.look import databases

DATA = "/data"
LONGEST_S = 300.0
STARTS_WITHIN_S = 30.0
LINE_WITHIN_S = 5.0
FREE_WITHIN_S = 5.0
MUST_BE_FREE = 3
"""The number of looks in a row without a lock after a pause. The first one may have begun before it."""


class WatchLost(StepFailed):
    """The sidecar ended, although it looks until it is removed: it could not look, or something killed it."""


class LockWatch:
    """Looks at the locks of the standby's processes every 30 ms, while its context is open.

    Raises StepFailed when the sidecar ends or says nothing, and EngineError. Leaving the context removes the sidecar.
    """

    def __init__(self, context: AppContext, standby: Deployment) -> None:
        self._context, self._standby = context, standby
        self._looks: asyncio.Queue[list[str]] = asyncio.Queue()
        self._said = ""
        self.last = ""
        """What was held at the last look that found something."""

    @staticmethod
    async def needed(context: AppContext, standby: Deployment) -> bool:
        """Whether it has data on which locks can be seen: a volume, or a PostgreSQL server in its environment.

        Raises EngineError.
        """
        return bool(context.config.run.data or await _servers(context, standby))

    async def __aenter__(self) -> LockWatch:
        spec = _spec(self._context, self._standby, await _servers(self._context, self._standby))
        self._run = asyncio.create_task(self._context.engine.run_to_end(spec, LONGEST_S, self._hear))
        try:
            await self._look(STARTS_WITHIN_S)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def until_free(self) -> None:
        """Wait until nothing is held, at most FREE_WITHIN_S seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FREE_WITHIN_S):
                while await self._look():
                    pass

    async def free_now(self) -> bool:
        """Whether nothing is held by the standby, which was paused before this call."""
        while not self._looks.empty():
            self._looks.get_nowait()
        for _ in range(MUST_BE_FREE):
            if await self._look():
                return False
        return True

    async def _look(self, within_s: float = LINE_WITHIN_S) -> list[str]:
        """The next look."""
        taken = asyncio.ensure_future(self._looks.get())
        try:
            async with asyncio.timeout(within_s):
                await asyncio.wait([taken, self._run], return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError as error:
            raise StepFailed(f"The sidecar that looks at the data's locks was silent for {within_s:g} s.") from error
        finally:
            if not taken.done():
                taken.cancel()
        if not taken.done() or taken.cancelled():
            self._run.result()  # raises EngineError, if that is why it ended
            raise WatchLost(f"The sidecar that looks at the data's locks ended: {self._said or 'it said nothing'}.")
        held = taken.result()
        self.last = held[0] if held else self.last
        return held

    async def _end(self) -> None:
        self._run.cancel()
        cancelled = await until_ended(self._run)
        if not self._run.cancelled() and (error := self._run.exception()) and not isinstance(error, EngineError):
            raise error
        if cancelled:
            raise asyncio.CancelledError

    def _hear(self, line: str) -> None:
        try:
            self._looks.put_nowait([str(one) for one in json.loads(line)["held"]])
        except (ValueError, KeyError, TypeError):
            self._said = line.strip() or self._said


MEMORY = "256m"
"""What the sidecar may use, with the names of at most 20,000 files."""


async def _servers(context: AppContext, standby: Deployment) -> dict[str, str]:
    """The variables of the standby's container that name its PostgreSQL servers and how to reach them; empty without
    one. Not those of the configuration, which may have changed since, or name a file that cannot be read now.
    """
    status = await context.engine.status(standby.container)
    has = status.env if status else {}
    servers = {name: value for name, value in has.items() if databases({name: value})}
    return servers | {name: value for name, value in has.items() if name.startswith("PG")} if servers else {}


def _spec(context: AppContext, standby: Deployment, servers: dict[str, str]) -> ContainerSpec:
    """It reads files of any user, and has those variables of the app: there it finds the database server."""
    data = context.config.run.data
    command = ("python", "-m", "orchestrator.lock_sidecar", "--address", standby.address)
    spec = container_spec(context, standby, Role.SIDECAR, context.sidecar_name(standby, "locks"), command, servers)
    return replace(
        spec,
        image=context.tools_image,
        command=(*command, "--data", DATA) if data else command,
        owned=(),
        read_only_mounts=((context.volume, DATA),) if data else (),
        network=context.engine.network if servers else "",
        memory=MEMORY,
        user="0:0",
        privileges=False,
        capabilities=("DAC_READ_SEARCH",),
        read_only=True,
        processes_of=standby.container,
        init=False,  # process 1 is the standby's
    )
