"""What the token of this panel may do: it is offered nothing else."""

from __future__ import annotations

from typing import Protocol

from panel.client.access_model import Session
from panel.client.errors import ClientError, NotFound

READ, DEPLOY, ADMIN = "read", "deploy", "admin"
ORDER = (READ, DEPLOY, ADMIN)


class Asked(Protocol):
    """A client of the orchestrator."""

    async def session(self) -> Session:
        """Raises ClientError."""


class Permission:
    """Until the orchestrator has said what the token may do, everything is offered: it refuses what is too much."""

    def __init__(self) -> None:
        self.scope = ADMIN
        self._is_known = False

    async def ask(self, client: Asked) -> bool:
        """Once: a token keeps its scope. An orchestrator that does not answer leaves it as it is. Says whether it is
        another one now."""
        if self._is_known:
            return False
        before = self.scope
        try:
            scope = (await client.session()).scope
        except NotFound:
            scope = ADMIN  # an older orchestrator, which does not say it
        except ClientError:
            return False
        self._is_known = True
        self.scope = scope if scope in ORDER else ADMIN
        return self.scope != before

    @property
    def may_deploy(self) -> bool:
        """Whether it may change what runs, and dismiss what could."""
        return self.allows(DEPLOY)

    def allows(self, scope: str) -> bool:
        return ORDER.index(self.scope) >= ORDER.index(scope)
