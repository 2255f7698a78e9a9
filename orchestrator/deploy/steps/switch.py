"""Step 8, switch: one atomic change at the proxy, read back, and confirmed by a request through it."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.apps import pause, traffic
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, Slots, State, StepName


class SwitchToCandidate(Step):
    """The candidate becomes active, and what was active stands by."""

    name = StepName.SWITCH

    def describe(self, context: AppContext) -> str:
        return "Switch the traffic at the proxy, and confirm it by a request."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Raises ProxyError when the proxy does not do it, or another release answers afterwards."""
        await traffic.send_to(context, deployment)
        live = replace(deployment, state=State.LIVE, live_at=now())
        context.journal.save_switch(context.name, Slots(active=live.id, standby=live.previous), live)
        return await pause.resume(context, live)

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        return await traffic.send_back(context, deployment)


class SwitchToStandby(SwitchToCandidate):
    """Of a rollback: the standby becomes active, and what was active stands by."""

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        standby = context.journal.maker_of(deployment.container)
        await traffic.send_to(context, standby)
        live = replace(deployment, state=State.LIVE, live_at=now())
        changed = [live, replace(standby, state=State.LIVE)]
        if deployment.previous:
            left = context.journal.deployment(deployment.previous)
            changed.append(replace(left, state=State.ROLLED_BACK, ended_at=left.ended_at or now()))
        context.journal.save_switch(context.name, Slots(active=standby.id, standby=deployment.previous), *changed)
        return await pause.resume(context, live)
