"""Step 10, retire: drain the old colour, keep it as standby, remove the earlier standby, and apply retention."""

from __future__ import annotations

from orchestrator.app_data import migrations
from orchestrator.apps.context import AppContext
from orchestrator.apps.drain import drain
from orchestrator.deploy import retention
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, Kind, StepName
from orchestrator.proxy.routes import Server


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
        if left := _left_by(context, deployment):
            await drain(context, left, said_by=deployment)
        if standby := context.standby:
            if standby.colour:
                server = Server(standby.address, standby.port)
                await context.proxy.set_server(context.name, standby.colour, server)
            await _park(context, standby)
        await retention.remove_stray_containers(context)
        await retention.apply(context)
        return deployment


def _left_by(context: AppContext, deployment: Deployment) -> Deployment | None:
    """The release from which the deployment took the traffic; None if there was none, or it still has it."""
    active = context.active
    if not deployment.previous or active is None or deployment.previous == active.id:
        return None
    return context.journal.deployment(deployment.previous)


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
