"""The protocol of a step."""

from __future__ import annotations

from typing import ClassVar, Protocol

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment, StepName


class Step(Protocol):
    """One step of a plan, with its undo.

    A step is idempotent: names are derived from the deployment, so a second run finds what the first one made. The
    pipeline records its intent before `run` begins and its result before the next step begins.
    """

    name: ClassVar[StepName]

    def describe(self, context: AppContext) -> str:
        """A sentence that says what the step will do for this app."""

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Run the step. Returns the deployment with what the step added to it. Raises a ChangeoverError."""

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Undo the step, also when `run` was interrupted.

        Returns a sentence that says what was undone, or an empty string if there was nothing to undo. Raises a
        ChangeoverError.
        """
        return ""
