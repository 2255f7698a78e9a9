"""Step 7, verify: check that the container works before it gets traffic."""

from __future__ import annotations

from orchestrator.apps import verification
from orchestrator.apps.context import AppContext
from orchestrator.deploy import standby_stays
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, Kind, StepName


class Verify(Step):
    """Probes the container, and requests `health.page` and `health.websocket` through the preview route."""

    name = StepName.VERIFY

    def describe(self, context: AppContext) -> str:
        health = context.config.health
        more = [f"the page {health.page}"] if health.page else []
        more += [f"the WebSocket {health.websocket}"] if health.websocket else []
        then = f", then {' and '.join(more)}" if more else ""
        probes = f"{health.answers} successful probes of {health.first_path} in a row"
        return f"Wait for {probes}, up to {health.timeout:g} s{then}."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Verify the container; then decide, for the switch of a new release, whether the standby stays.

        Here, because a kill in the switch must find the decision. Raises StepFailed with the container's log when it
        fails a check, EngineError or JournalError.
        """
        await verification.verify(context, deployment)
        if deployment.kind is Kind.DEPLOY or deployment.brings_release:
            await standby_stays.decide(context, deployment)
        return deployment

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Remove the preview route."""
        await context.proxy.end_preview(context.name)
        return ""
