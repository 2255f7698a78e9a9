"""/v1/doctor and /v1/tokens."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from orchestrator import doctor, tokens
from orchestrator.api.access import Admin, Reader, Serving
from orchestrator.config import loader
from orchestrator.errors import ConfigError, Refused
from orchestrator.tokens import Scope

router = APIRouter()


class TokenRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    scope: Scope


class ConfigText(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str
    name: str = "control-panel-config.yaml"


class ConfigView(BaseModel):
    """The file that was read last: its SHA-256, why it was refused if it was, and which keys have no effect yet."""

    digest: str
    problems: list[str]
    notices: list[str]


class ConfigProblems(BaseModel):
    """Why a configuration would be refused; where it would not be, which of its keys have no effect yet."""

    problems: list[str]
    notices: list[str] = []


class NewToken(BaseModel):
    """The only time that the token itself is shown."""

    name: str
    scope: Scope
    token: str


@router.get("/doctor")
async def examine(orchestrator: Serving, _who: Reader) -> dict[str, list[doctor.Finding]]:
    return {"findings": await doctor.examine(orchestrator)}


@router.get("/config")
async def config(orchestrator: Serving, _who: Reader) -> ConfigView:
    return ConfigView(
        digest=orchestrator.config_digest,
        problems=orchestrator.config_problem.splitlines(),
        notices=[str(notice) for notice in orchestrator.config_notices],
    )


@router.post("/config/validate")
async def validate(wanted: ConfigText, _who: Reader) -> ConfigProblems:
    """Check a configuration without using it."""
    try:
        loaded = loader.parse(wanted.text, wanted.name)
    except ConfigError as error:
        return ConfigProblems(problems=[str(problem) for problem in error.problems])
    return ConfigProblems(problems=[], notices=[str(notice) for notice in loaded.notices])


@router.get("/tokens")
async def list_tokens(orchestrator: Serving, _who: Admin) -> dict[str, list[dict[str, object]]]:
    return {"tokens": orchestrator.journal.tokens()}


@router.post("/tokens", status_code=201)
async def create_token(wanted: TokenRequest, orchestrator: Serving, _who: Admin) -> NewToken:
    secret = tokens.create(orchestrator.journal, wanted.name, wanted.scope)
    return NewToken(name=wanted.name, scope=wanted.scope, token=secret)


@router.delete("/tokens/{name}")
async def revoke_token(name: str, orchestrator: Serving, _who: Admin) -> dict[str, str]:
    if not orchestrator.journal.revoke_token(name):
        raise Refused(f"There is no token '{name}' that could be revoked.")
    return {"revoked": name}
