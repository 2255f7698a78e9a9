"""Step 10, retire: drain the old colour, keep it as standby, remove the earlier standby, and apply retention."""

from __future__ import annotations

from orchestrator.app_data import migrations
from orchestrator.apps.context import AppContext
from orchestrator.apps.drain import drain
from orchestrator.deploy import retention
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, Kind, StepName


class Retire(Step):
    """Runs after the switch, in the background. It has no undo: the release is live."""

    name = StepName.RETIRE

    def describe(self, context: AppContext) -> str:
        standby, timeout = context.config.standby, context.config.drain.timeout
        return f"Drain the old colour for at most {timeout:g} s, keep it as {standby} standby, and apply retention."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Drain, keep and remove. Raises EngineError, ProxyError or JournalError."""
        await context.proxy.end_preview(context.name)
        if deployment.kind is Kind.DEPLOY or deployment.ref:
            await context.journal.beside(context.journal.settle, context.name)
        standby = context.standby
        if standby:
            await drain(context, standby, said_by=deployment)
            await _park(context, standby)
        await retention.remove_stray_containers(context)
        await retention.apply(context)
        return deployment


async def _park(context: AppContext, standby: Deployment) -> None:
    """Keep the standby as the key `standby` says; stop it if it cannot run on the data as it is."""
    can_run = migrations.needed_by(context, standby).is_empty
    if context.config.standby == "warm" and can_run:
        await context.engine.wake(standby.container)
        await context.proxy.set_fallback(context.name, standby.colour)
        return
    await context.proxy.set_fallback(context.name, None)
    if context.config.standby == "paused" and can_run:
        await context.engine.pause(standby.container)
    else:
        await context.engine.stop(standby.container, context.config.drain.stop_timeout)
