"""Step 6, start: the container that is to have the traffic runs."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.app_data import migrations
from orchestrator.apps import readiness
from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, StepName
from orchestrator.domain.schema_report import as_json
from orchestrator.engine.base import LABEL_MIGRATED, Role


class StartCandidate(Step):
    """A new container, in the idle colour, at an address of its own."""

    name = StepName.START

    def describe(self, context: AppContext) -> str:
        return "Start the candidate container in the idle colour, beside the active one and the standby."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Raises EngineError when the engine refuses the container."""
        if not deployment.address:
            taken = {server.address for server in context.proxy.route(context.name).servers.values()}
            deployment = replace(deployment, address=await context.engine.free_address(taken))
            context.journal.save(deployment)
        spec = container_spec(context, deployment, Role.APP, deployment.container, context.config.run.command)
        migrated = as_json(migrations.applied_by(context, deployment))
        await context.engine.start(replace(spec, labels=spec.labels | {LABEL_MIGRATED: migrated}))
        context.say(deployment.id, f"{deployment.container} at {deployment.address}:{deployment.port}")
        return deployment

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        policy, engine = context.config.update.rollback, context.engine
        if not policy.auto_rollback_on_failure and await engine.status(deployment.container):
            await engine.stop(deployment.container, context.config.drain.stop_timeout)
            return f"Stopped the candidate {deployment.container}; it is kept until the next deployment"
        removed = await engine.remove(deployment.container)
        return f"Removed the candidate {deployment.container}" if removed else ""


class StartRelease(Step):
    """Of a restore: the container that goes on with the data. It stays when something fails later: it may be active."""

    name = StepName.START

    def describe(self, context: AppContext) -> str:
        return "Start the container of the release that goes on with the data."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Raises EngineError when the container is gone."""
        await context.engine.wake(deployment.container)
        return deployment


class StartStandby(StartRelease):
    """Of a rollback that changes data: the standby, which must not run on any other schema than its own."""

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        await context.engine.stop(deployment.container, context.config.drain.stop_timeout)
        return f"Stopped {deployment.container} again"


class WakeStandby(StartRelease):
    """Of a rollback that changes no data: the standby may go on running when the switch fails."""

    def describe(self, context: AppContext) -> str:
        return "Wake the standby container and wait until it is ready."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Raises StepFailed with the container's log when it is not ready within `health.timeout` seconds."""
        await context.engine.wake(deployment.container)
        await readiness.until_ready(context, deployment)
        return deployment
