"""Step 7, verify: the container proves that it works before it has any traffic."""

from __future__ import annotations

from orchestrator.apps import verification
from orchestrator.apps.context import AppContext
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, StepName


class Verify(Step):
    name = StepName.VERIFY

    def describe(self, context: AppContext) -> str:
        health = context.config.health
        more = [f"the page {health.page}"] if health.page else []
        more += [f"the WebSocket {health.websocket}"] if health.websocket else []
        then = f", then {' and '.join(more)}" if more else ""
        return (
            f"Wait for {health.answers} good answers in a row from {health.path}, at most {health.timeout:g} s{then}."
        )

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Raises StepFailed with the container's log."""
        await verification.verify(context, deployment)
        return deployment

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        await context.proxy.end_preview(context.name)
        return ""
