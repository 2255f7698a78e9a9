"""Step 6, start: start the container that will get the traffic."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.app_data import migration_runs
from orchestrator.apps import readiness
from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.apps.made_from import made_from
from orchestrator.deploy.data_left_behind import refuse_to_start_without_data
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, StepName
from orchestrator.domain.schema_report import as_json
from orchestrator.engine.base import LABEL_MIGRATED, Role


class StartCandidate(Step):
    """Starts a new container in the idle colour, at an address of its own."""

    name = StepName.START

    def describe(self, context: AppContext) -> str:
        return "Start the candidate container in the idle colour, beside the active one and the standby."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Start the container. Adds `address`, its IPv4 address, and what it is made from.

        Raises EngineError when the engine refuses it.
        """
        return await create_container(context, deployment)

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Remove the container; only stop it if `update.rollback.auto_rollback_on_failure` is off."""
        policy, engine = context.config.update.rollback, context.engine
        if not policy.auto_rollback_on_failure and await engine.status(deployment.container):
            await engine.stop(deployment.container, context.config.drain.stop_timeout)
            return f"Stopped the candidate {deployment.container}; it is kept until the next deployment"
        removed = await engine.remove(deployment.container)
        return f"Removed the candidate {deployment.container}" if removed else ""


class StartRelease(Step):
    """Starts the container of an existing release, in a restore. Undo does nothing: the release may be active."""

    name = StepName.START

    def describe(self, context: AppContext) -> str:
        return "Start the container of the release that runs on the data."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Start or unpause the container; create it again if it does not exist. Raises EngineError."""
        if await context.engine.status(deployment.container) is None:
            maker = await context.journal.beside(context.journal.maker_of, deployment.container)
            await create_container(context, maker)
        else:
            await context.engine.wake(deployment.container, deployment.address)
        return deployment


class StartStandby(StartRelease):
    """Starts the standby in a rollback that changes data."""

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Stop the standby: it cannot run on the schema to which the data is brought back. Raises EngineError."""
        await context.engine.stop(deployment.container, context.config.drain.stop_timeout)
        return f"Stopped the standby {deployment.container}"


class WakeStandby(StartRelease):
    """Starts the standby in a rollback that changes no data. Undo does nothing: the standby can run on the data."""

    def describe(self, context: AppContext) -> str:
        return "Start or unpause the standby container, and wait until it is ready."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Start it and wait. Raises StepFailed with its log when it is not ready within `health.timeout` seconds.

        One that was paused was ready before: one good answer shows that it is again.
        """
        status = await context.engine.status(deployment.container)
        await context.engine.wake(deployment.container, deployment.address)
        if status is not None and status.paused:
            await readiness.until_awake(context, deployment, context.config.health.timeout)
        else:
            await readiness.until_ready(context, deployment)
        return deployment


async def create_container(context: AppContext, deployment: Deployment) -> Deployment:
    """Create and start the container of a deployment. Returns it with its address and what it is made from.

    Raises EngineError when the engine refuses it, VolumeGone when its data volume does not exist any more, and
    StepFailed when the configuration has lost its data.
    """
    await refuse_to_start_without_data(context, deployment)
    if not deployment.address:
        taken = await context.proxy.addresses()
        deployment = replace(deployment, address=await context.engine.free_address(taken))
    volume = context.volume if context.config.run.data else ""
    deployment = replace(deployment, made_from=made_from(context), volume=volume)
    await context.journal.beside(context.journal.save, deployment)
    spec = container_spec(context, deployment, Role.APP, deployment.container, context.config.run.command)
    migrated = as_json(migration_runs.applied_by(context, deployment))
    await context.engine.start(replace(spec, labels=spec.labels | {LABEL_MIGRATED: migrated}))
    context.say(deployment.id, f"{deployment.container} at {deployment.address}:{deployment.port}")
    return deployment
