"""What a step is."""

from __future__ import annotations

from typing import ClassVar, Protocol

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment, StepName


class Step(Protocol):
    """One thing that a deployment does, and how that is undone.

    A step is idempotent: names are derived from the deployment, so that doing it again finds what it already did.
    The journal has its intent before `run` begins and its result before the next step begins.
    """

    name: ClassVar[StepName]

    def describe(self, context: AppContext) -> str:
        """One sentence for people: what the step will do for this app."""

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Do it, and give the deployment with what has become known. Raises a ChangeoverError, mostly StepFailed."""

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Undo it, however far it came, and say in a sentence what was undone; empty when there was nothing."""
        return ""
