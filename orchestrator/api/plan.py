"""/v1/apps/{app}/plan: what a deployment or a rollback would do, before it is asked for."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.access import Reader, Serving
from orchestrator.deploy import plans
from orchestrator.deploy.standby import find_standby

router = APIRouter(prefix="/apps/{app}/plan")


class PlanKind(StrEnum):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class PlanView(BaseModel):
    app: str
    kind: PlanKind
    steps: list[plans.PlannedStep]


@router.get("")
async def show(app: str, orchestrator: Serving, _who: Reader, kind: PlanKind = PlanKind.DEPLOY) -> PlanView:
    """The steps in their order. Nothing is done; a rollback without a standby is refused as the real one would be."""
    context = orchestrator.apps.get(app)
    plan = plans.DEPLOY if kind is PlanKind.DEPLOY else plans.to_standby(await find_standby(context))
    return PlanView(app=app, kind=kind, steps=plans.describe(plan, context))
