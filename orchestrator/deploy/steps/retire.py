"""Step 10, retire: drain the old colour, keep it as standby, remove the earlier standby, and apply retention."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.apps.context import AppContext
from orchestrator.apps.drain import NOTHING, drain, record_cut
from orchestrator.deploy import retention
from orchestrator.deploy.park import park
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, Kind, StepName
from orchestrator.errors import ChangeoverError, EngineError, ProxyError
from orchestrator.proxy.routes import Server


class Retire(Step):
    """Runs after the switch, in the background. It has no undo: the release is live."""

    name = StepName.RETIRE

    def describe(self, context: AppContext) -> str:
        standby, timeout = context.config.standby, context.config.drain.timeout
        return f"Drain the old colour for at most {timeout:g} s, keep it as {standby} standby, and apply retention."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Drain and park, remove, apply retention; a part that fails keeps no later one from its work.

        Raises EngineError, ProxyError or JournalError.
        """
        if deployment.kind is Kind.DEPLOY or deployment.ref:
            await _settle(context, deployment)
        failed: ChangeoverError | None = None
        for part in (_drain_and_park, _remove_strays, _apply_retention):
            try:
                deployment = await part(context, deployment)
            except (EngineError, ProxyError) as error:
                failed = failed or error
        if failed:
            raise failed
        return deployment


async def _settle(context: AppContext, live: Deployment) -> None:
    """The switch does it, and may have been killed before. What a later rollback or restore left stays unsettled."""
    left = context.journal.unsettled(context.name)
    if left and context.journal.deployment(left.deployment).number < live.number:
        await context.journal.beside(context.journal.settle, context.name)


async def _drain_and_park(context: AppContext, deployment: Deployment) -> Deployment:
    """Returns the deployment with what its draining cut."""
    await context.proxy.end_preview(context.name)
    active = context.active
    # One that somebody has removed is created again as soon as this has ended.
    if active and await context.engine.status(active.container):
        # A standby that was rolled back to has no restart policy.
        await context.engine.keep_running(active.container)
    left = _left_by(context, deployment)
    # What answered in its place goes on only if a rollback made that the active release.
    instead = deployment.kind is not Kind.ROLLBACK
    cut = await drain(context, left, said_by=deployment, instead=instead) if left else NOTHING
    recorded = await context.journal.beside(context.journal.deployment, deployment.id)
    deployment = await record_cut(context, replace(deployment, cut=recorded.cut), cut)
    if standby := context.standby:
        await _keep(context, standby, said_by=deployment)
    return deployment


async def _keep(context: AppContext, standby: Deployment, said_by: Deployment) -> None:
    if await context.engine.status(standby.container) is None:
        context.say(said_by.id, f"the standby's container {standby.container} does not exist any more")
        return
    if standby.colour:
        await context.proxy.set_server(context.name, standby.colour, Server(standby.address, standby.port))
    await park(context, standby, said_by=said_by)


async def _remove_strays(context: AppContext, deployment: Deployment) -> Deployment:
    await retention.remove_stray_containers(context)
    return deployment


async def _apply_retention(context: AppContext, deployment: Deployment) -> Deployment:
    await retention.apply(context)
    return deployment


def _left_by(context: AppContext, deployment: Deployment) -> Deployment | None:
    """The release from which the deployment took the traffic; None if there was none, or it still has it."""
    active = context.active
    if not deployment.previous or active is None or deployment.previous == active.id:
        return None
    return context.journal.deployment(deployment.previous)
