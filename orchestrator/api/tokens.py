"""/v1/tokens: create, list and revoke tokens."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from orchestrator.access.tokens import NAME, NAME_RULE
from orchestrator.api.access import Admin, Auditor, Serving
from orchestrator.api.audited import note
from orchestrator.api.values import AnyTokenName, TokenName
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.errors import Refused
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/tokens")

LONGEST_S = 100 * 365 * 24 * 3600


def _allowed(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise ValueError(f"expected {NAME_RULE}")
    return name


class TokenRequest(BaseModel):
    """`apps`: the apps that the token is for; null for all. `expires_in`: seconds until it expires; null for never."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, AfterValidator(_allowed), WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"})]
    scope: Scope
    apps: Annotated[list[str], Field(min_length=1, max_length=100)] | None = None
    expires_in: Annotated[int, Field(gt=0, le=LONGEST_S)] | None = None


class TokenView(BaseModel):
    """A token without its secret. `valid`: whether it is accepted now."""

    name: str
    scope: Scope
    apps: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    valid: bool


class Tokens(BaseModel):
    tokens: list[TokenView]


class NewToken(BaseModel):
    """A new token with its secret, which is returned only once."""

    name: str
    scope: Scope
    apps: list[str] | None
    expires_at: datetime | None
    token: str


@router.get("")
async def list_tokens(orchestrator: Serving, _who: Auditor) -> Tokens:
    moment = now()
    return Tokens(
        tokens=[
            TokenView(
                name=token.name,
                scope=token.scope,
                apps=None if token.apps is None else list(token.apps),
                created_at=token.created_at,
                expires_at=token.expires_at,
                revoked_at=token.revoked_at,
                valid=not token.invalid_because(moment),
            )
            for token in await orchestrator.gate.tokens()
        ]
    )


@router.post("", status_code=201)
async def create_token(wanted: TokenRequest, request: Request, orchestrator: Serving, who: Admin) -> NewToken:
    note(request, _asked_for(wanted))
    who.require_token()
    for app in wanted.apps or ():
        orchestrator.apps.get(app)
    expires_at = now() + timedelta(seconds=wanted.expires_in) if wanted.expires_in else None
    secret = await orchestrator.gate.create_token(wanted.name, wanted.scope, wanted.apps, expires_at)
    return NewToken(name=wanted.name, scope=wanted.scope, apps=wanted.apps, expires_at=expires_at, token=secret)


def _asked_for(wanted: TokenRequest) -> str:
    """What is recorded in the audit log: the token that is made outlives the one that makes it."""
    apps = f"apps {', '.join(wanted.apps)}" if wanted.apps else "all apps"
    lasts = f"for {wanted.expires_in} s" if wanted.expires_in else "without expiry"
    return f"token {wanted.name}, scope {wanted.scope}, {apps}, {lasts}"


@router.delete("/{name}")
async def revoke_token(name: TokenName, orchestrator: Serving, _who: Admin) -> dict[str, str]:
    return await _revoke(orchestrator, name)


@router.delete("")
async def revoke_token_of_any_name(name: AnyTokenName, orchestrator: Serving, _who: Admin) -> dict[str, str]:
    """For tokens of earlier versions, whose names have any form: `a/b` does not fit in a path."""
    return await _revoke(orchestrator, name)


async def _revoke(orchestrator: Orchestrator, name: str) -> dict[str, str]:
    if not await orchestrator.gate.revoke_token(name):
        raise Refused(
            f"Token '{name}' cannot be revoked: it does not exist or is revoked already.",
            "List the tokens: changeover token list",
        )
    return {"revoked": name}
