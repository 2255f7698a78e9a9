"""Step 8, switch: one atomic change at the proxy, read back, and confirmed by a request through the proxy."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from orchestrator.apps import pause, traffic
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.deploy.steps.base import Step
from orchestrator.deploy.steps.start import WakeStandby
from orchestrator.deploy.unchanged import standby_after
from orchestrator.domain.deployment import Deployment, Slots, State, StepName
from orchestrator.domain.schema_history import newest_run


class SwitchToCandidate(Step):
    """Makes the candidate active; the release that was active becomes standby."""

    name = StepName.SWITCH

    def describe(self, context: AppContext) -> str:
        return "Switch the traffic at the proxy, and confirm the switch by a request."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Switch, record the new slots, and resume paused requests. Returns the deployment as live.

        The last other release is the standby. If that is not the one that had the traffic, because the same release was
        deployed again, it gets the colour that the new container does not have.
        Raises ProxyError when the proxy does not switch or another release answers afterwards, and JournalError.
        """
        await traffic.send_to(context, deployment)
        live_at, known_run = context.journal.timing.moment(deployment.id), deployment.known_run
        if known_run is None:
            known_run = newest_run(context.journal.migrations(context.name))
        live = replace(deployment, state=State.LIVE, live_at=live_at, known_run=known_run)
        standby = await standby_after(context, live)
        if standby is not None and standby.id != live.previous and live.colour is not None:
            standby = replace(standby, colour=live.colour.other)
        changed = [one for one in (live, standby) if one]
        journal, slots = context.journal, Slots(active=live.id, standby=standby.id if standby else "")
        await journal.beside(journal.save_switch, context.name, slots, *changed)
        await journal.beside(journal.settle, context.name)
        return await pause.resume(context, live)

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Switch the traffic back to the release that had it before. Raises ProxyError."""
        return await traffic.send_back(context, deployment)


class SwitchToStandby(SwitchToCandidate):
    """Makes the standby active, in a rollback; the release that was active becomes standby, in state rolled_back."""

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Switch, record the new slots, and resume paused requests. Raises ProxyError or JournalError."""
        standby = context.standby
        assert standby is not None
        assert standby.container == deployment.container, "only a switch changes which release is standby"
        await traffic.send_to(context, standby)
        live = replace(deployment, state=State.LIVE, live_at=context.journal.timing.moment(deployment.id))
        changed = [live, replace(standby, state=State.LIVE)]
        if deployment.previous:
            left = context.journal.deployment(deployment.previous)
            changed.append(replace(left, state=State.ROLLED_BACK, ended_at=left.ended_at or now()))
        journal, slots = context.journal, Slots(active=standby.id, standby=deployment.previous)
        await journal.beside(journal.save_switch, context.name, slots, *changed)
        if deployment.ref:
            await journal.beside(
                journal.settle, context.name
            )  # the data is a backup's; a rollback alone leaves it as it is
        return await pause.resume(context, live)


class SwitchToAwakened(SwitchToStandby):
    """The same, with a standby that was unpaused a moment ago: `awake` says whether it answers.

    It was ready before it was paused, so that one good answer shows that it is again. One that does not give it at once
    is woken, and waited for, as one that was stopped.
    """

    def __init__(self, awake: Awaitable[bool]) -> None:
        self._awake = awake

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Wait for the standby, then switch. Raises StepFailed when it is not ready, and as SwitchToStandby."""
        if not await self._awake:
            await WakeStandby().run(context, deployment)
        return await super().run(context, deployment)
