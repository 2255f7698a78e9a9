"""After a deployment that has failed or was cancelled: which images are removed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.deploy import retention
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.errors import ChangeoverError

log = structlog.get_logger()

SAYS = "Images that no release needs any more are removed after a deployment that was not made live."
DOING = "images of earlier deployments are being removed"


def has_left_an_image(ended: Deployment) -> bool:
    """Whether a deployment has built an image and was not made live, so that those of the attempts before are of no
    use. One of what is live already has tried nothing."""
    is_failure = ended.kind is Kind.DEPLOY and ended.state in (State.FAILED, State.CANCELLED)
    return is_failure and bool(ended.release and ended.release.image)


def removal(context_of: Callable[[str], AppContext], failed: Deployment) -> tuple[str, Coroutine[Any, Any, None], str]:
    """For `Lane.afterwards`."""
    return SAYS, _remove_images(context_of, failed), DOING


async def _remove_images(context_of: Callable[[str], AppContext], failed: Deployment) -> None:
    """Apply retention, and keep the image of this attempt: the next one is often of the same release.

    What fails is logged and changes nothing about how the deployment ended: retention is applied again after the next
    one. A rollback cancels this, and a deployment waits for it.
    """
    try:
        context = context_of(failed.app)
        # What stands in the data is taken back by commands in the image of whatever brought it.
        if failed.release and not await context.journal.beside(context.journal.unsettled, failed.app):
            await retention.apply(context, also={failed.release.image})
    except Exception as error:
        trace = not isinstance(error, ChangeoverError)
        log.warning("images of failed deployments not removed", app=failed.app, cause=str(error), exc_info=trace)
