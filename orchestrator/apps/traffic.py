"""The switch of an app's traffic at the proxy, confirmed by a request."""

from __future__ import annotations

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import StepFailed
from orchestrator.proxy.routes import Server


async def send_to(context: AppContext, deployment: Deployment) -> None:
    """Switch the app's traffic to a deployment's container, and confirm it by a request. Raises ProxyError."""
    if deployment.colour is None:
        raise StepFailed(f"Deployment {deployment.id} has no colour.")
    await context.proxy.switch(context.name, deployment.colour, Server(deployment.address, deployment.port))
    await context.proxy.confirm(context.name, deployment.colour, context.config.health.first_path)


async def send_back(context: AppContext, deployment: Deployment) -> str:
    """Switch the traffic back to the release that had it before a deployment, whether or not its switch was done.

    Returns a sentence that says what was done. Raises ProxyError.
    """
    if not deployment.previous:
        await context.proxy.forget_route(context.name)
        return "Removed the route: the app had no live release before"
    previous = context.journal.deployment(deployment.previous)
    if previous.colour is None:
        raise StepFailed(f"Deployment {previous.id} has no colour.")
    # Always: a switch that failed may or may not have taken effect at the proxy.
    await context.proxy.switch(context.name, previous.colour, Server(previous.address, previous.port))
    # The candidate had the standby's place at the proxy. Failover sends requests there.
    standby, other = context.standby, previous.colour.other
    kept = Server(standby.address, standby.port) if standby and standby.colour is other else None
    await context.proxy.set_server(context.name, other, kept)
    return f"Switched the traffic back to {previous.colour} ({previous.version})"
