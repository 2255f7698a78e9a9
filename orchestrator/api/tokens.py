"""/v1/tokens: create, list and revoke tokens."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from orchestrator.access import tokens
from orchestrator.access.tokens import Scope
from orchestrator.api.access import Admin, Serving
from orchestrator.errors import Refused

router = APIRouter(prefix="/tokens")


class TokenRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    scope: Scope


class NewToken(BaseModel):
    """A new token with its secret, which is returned only once."""

    name: str
    scope: Scope
    token: str


@router.get("")
async def list_tokens(orchestrator: Serving, _who: Admin) -> dict[str, list[dict[str, object]]]:
    return {"tokens": orchestrator.journal.tokens()}


@router.post("", status_code=201)
async def create_token(wanted: TokenRequest, orchestrator: Serving, _who: Admin) -> NewToken:
    secret = tokens.create(orchestrator.journal, wanted.name, wanted.scope)
    return NewToken(name=wanted.name, scope=wanted.scope, token=secret)


@router.delete("/{name}")
async def revoke_token(name: str, orchestrator: Serving, _who: Admin) -> dict[str, str]:
    if not orchestrator.journal.revoke_token(name):
        raise Refused(
            f"Token '{name}' cannot be revoked: it does not exist or is revoked already.",
            "List the tokens: changeover token list",
        )
    return {"revoked": name}
