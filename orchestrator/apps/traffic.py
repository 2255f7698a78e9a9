"""Where an app's traffic goes: the switch at the proxy, confirmed by a request through it."""

from __future__ import annotations

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import StepFailed
from orchestrator.proxy.routes import Server


async def send_to(context: AppContext, deployment: Deployment) -> None:
    """Send the app's traffic to a deployment's container, and see that it answers there. Raises ProxyError."""
    if deployment.colour is None:
        raise StepFailed(f"Deployment {deployment.id} has no colour.")
    await context.proxy.switch(context.name, deployment.colour, Server(deployment.address, deployment.port))
    await context.proxy.confirm(context.name, deployment.colour, context.config.health.path)


async def send_back(context: AppContext, deployment: Deployment) -> str:
    """Send the traffic to where it was before a deployment, whether its switch was done or not.

    Says in a sentence what was done. Raises ProxyError.
    """
    if not deployment.previous:
        await context.proxy.forget_route(context.name)
        return "Removed the route: no release was live before"
    previous = context.journal.deployment(deployment.previous)
    if previous.colour is None:
        raise StepFailed(f"Deployment {previous.id} has no colour.")
    # Always: memory is no witness of how far a failed switch came.
    await context.proxy.switch(context.name, previous.colour, Server(previous.address, previous.port))
    return f"The traffic goes to {previous.colour} ({previous.version})"
