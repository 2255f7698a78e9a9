"""What the token of this panel may do: it is offered nothing else."""

from __future__ import annotations

from panel.client.client import Client
from panel.client.errors import ClientError

READ, DEPLOY, ADMIN = "read", "deploy", "admin"
ORDER = (READ, DEPLOY, ADMIN)


class Permission:
    """Until the orchestrator has said what the token may do, everything is offered: it refuses what is too much."""

    def __init__(self) -> None:
        self.scope = ADMIN

    async def ask(self, client: Client) -> None:
        """An orchestrator that does not answer leaves it as it is."""
        try:
            scope = (await client.session()).scope
        except ClientError:
            return
        self.scope = scope if scope in ORDER else ADMIN

    def allows(self, scope: str) -> bool:
        return ORDER.index(self.scope) >= ORDER.index(scope)
