"""Finds out where an app listens whose port refuses connections."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.apps.context import AppContext
from orchestrator.clock import elapsed
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.listeners import Listener, listeners, remedy_for, why_unreachable
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, ContainerSpec, Role
from orchestrator.errors import EngineError

FIRST_LOOK_S = 1.5
"""How long connections must have been refused before the first look, in seconds: most apps listen by then."""
SURE_AFTER_S = 10.0
"""An app that still listens elsewhere after this time will not listen at its port, in seconds after the first look."""
TIMEOUT_S = 10.0
COMMAND = ("cat", "/proc/net/tcp", "/proc/net/tcp6")


@dataclass(frozen=True)
class Unreachable:
    """Why connections are refused, and what to do."""

    says: str
    remedy: str


class ListeningCheck:
    """Looks once when an app has refused connections for a while, and again before it gives the app up.

    A sidecar of the orchestrator's image shares the container's network for it, so that the app's image needs no tools.
    """

    def __init__(self) -> None:
        self._began = elapsed()
        self._looks = 0
        self._seen: tuple[Listener, ...] = ()
        self.listens_nowhere = False
        """Of the last look: nothing waits for connections of TCP. The app may have begun late, or has a Unix socket."""

    async def look(self, context: AppContext, deployment: Deployment, *, last: bool = False) -> Unreachable | None:
        """Why, if the app certainly listens elsewhere; otherwise None. The first finding is only told.

        `last`: the app has no more time.
        """
        waited = elapsed() - self._began
        soon = FIRST_LOOK_S if self._looks == 0 else FIRST_LOOK_S + SURE_AFTER_S
        if not last and (waited < soon or self._looks > 1):
            return None
        self._looks += 1
        tables = await _tables(context, deployment)
        found = listeners(tables)
        self.listens_nowhere = bool(tables) and not found
        # Connections have been refused since the look before.
        why = why_unreachable(found, deployment.port, refused=self._seen)
        self._seen = found
        if not why:
            return None
        if self._looks == 1 and not last:
            context.say(deployment.id, f"no connection to port {deployment.port} of {deployment.container}: {why}")
            return None
        remedy = remedy_for(found, deployment.port, context.name)
        return Unreachable(f"{context.name} cannot be reached: {why}.", remedy)


async def _tables(context: AppContext, deployment: Deployment) -> list[str]:
    lines: list[str] = []
    spec = ContainerSpec(
        name=context.sidecar_name(deployment, "listening"),
        image=context.tools_image,
        command=COMMAND,
        labels={LABEL_APP: context.name, LABEL_ROLE: Role.SIDECAR},
        network="",
        network_of=deployment.container,
        read_only=True,
    )
    try:
        await context.engine.run_to_end(spec, TIMEOUT_S, lines.append)
    except EngineError:
        # The container has ended meanwhile; that is found out and told by the next probe.
        return []
    return lines
