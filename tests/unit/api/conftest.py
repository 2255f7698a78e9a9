"""What tests of the API share: callers of every kind."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta

import pytest
from fastapi import FastAPI

from orchestrator.access import tokens
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.server import Orchestrator
from tests.support.asgi import Request, api_of


class Api:
    """The API in this process. Nothing runs behind it: no recovery, no checks, no probes."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        orchestrator.ready = True
        self.orchestrator = orchestrator
        self.app: FastAPI = api_of(orchestrator)

    def token(
        self, scope: Scope, *apps: str, name: str = "", lasts: timedelta | None = None, revoked: bool = False
    ) -> str:
        """A new token, for these apps, or for all."""
        name = name or f"t{secrets.token_hex(4)}"
        expires_at = now() + lasts if lasts else None
        journal = self.orchestrator.journal
        if lasts and lasts < timedelta(0):
            secret = secrets.token_hex(16)
            journal.add_token(name, secret, scope, apps or None, expires_at)
        else:
            secret = tokens.create(journal, name, scope, apps or None, expires_at)
        if revoked:
            assert journal.revoke_token(name)
        return secret

    async def session(self, token: str) -> str:
        """A session of the panel that was opened with this token."""
        return str((await self.json("POST", "/v1/sessions", token))["session"])

    def request(
        self,
        method: str,
        url: str,
        secret: str = "",
        body: object = None,
        address: str = "203.0.113.7",
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        bearer = {"authorization": f"Bearer {secret}"} if secret else {}
        return Request(self.app, method, url, bearer | dict(headers or {}), body, address)

    async def status(self, method: str, url: str, secret: str = "", body: object = None) -> int:
        async with self.request(method, url, secret, body) as answer:
            return answer.status

    async def json(self, method: str, url: str, secret: str = "", body: object = None) -> dict[str, object]:
        async with self.request(method, url, secret, body) as answer:
            found = json.loads(await answer.text())
        assert isinstance(found, dict)
        return found


@pytest.fixture
def api(orchestrator: Orchestrator) -> Api:
    return Api(orchestrator)
