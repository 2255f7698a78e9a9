"""Step 1, prepare: check the engine, the proxy and the disk space, and choose the colour."""

from __future__ import annotations

import shutil
from dataclasses import replace

from orchestrator.apps.container_spec import environment_of
from orchestrator.apps.context import AppContext
from orchestrator.deploy.data_left_behind import refuse_to_leave_data
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.colour import next_colour
from orchestrator.domain.deployment import Deployment, StepName
from orchestrator.errors import StepFailed

MIB = 1024 * 1024


class Prepare(Step):
    """Checks what a deployment needs, and chooses its colour and its container's name."""

    name = StepName.PREPARE

    def describe(self, context: AppContext) -> str:
        free = context.limits.min_free_bytes // MIB
        return (
            f"Check that the engine and the proxy answer and that {free} MB of disk are free; choose the idle colour."
        )

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Check, and choose. Adds `colour`, `container`, `port` and `previous`, the id of the active deployment.

        Raises EngineError or ProxyError when one does not answer, EnvFileUnreadable when `run.env_file` cannot be used,
        and StepFailed when disk space is short, the app's requests are paused, or the release would start without the
        data of the one before.
        """
        environment_of(context)  # what no container can be made with is said before anything is built
        engine, proxy = await context.engine.version(), await context.proxy.version()
        context.say(deployment.id, f"Docker Engine {engine}, HAProxy {proxy}")
        check_disk(context)
        await _refuse_while_paused(context)
        active = context.active
        if active and not deployment.forced:
            await refuse_to_leave_data(context, active)
        deployment = replace(
            deployment,
            colour=next_colour(active.colour if active else None),
            previous=active.id if active else "",
            port=context.config.run.port,
        )
        return replace(deployment, container=context.container_name(deployment))


async def _refuse_while_paused(context: AppContext) -> None:
    """A release is not live while requests wait. Deployments resume only what they have paused themselves."""
    if context.name in await context.proxy.paused():
        raise StepFailed(
            f"The requests of {context.name} are paused: the new release would get none.",
            f"Resume them, then deploy again: changeover resume {context.name}",
        )


def check_disk(context: AppContext) -> None:
    """Raises StepFailed when less disk space is free than `disk.min_free_mb`."""
    context.work.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(context.work).free
    if free < context.limits.min_free_bytes:
        required = context.limits.min_free_bytes // MIB
        raise StepFailed(
            f"Not enough disk space: {free // MIB} MB free, {required} MB required (disk.min_free_mb).",
            "Free disk space: 'changeover doctor' shows its use, 'docker builder prune' removes the build cache.",
        )
