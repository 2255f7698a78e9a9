"""/v1/apps/{app}/plan: the steps of a deployment or rollback, without running them."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.access import Reader, Serving
from orchestrator.api.values import App
from orchestrator.deploy import plans
from orchestrator.deploy.cost import cost_of
from orchestrator.deploy.standby import find_standby

router = APIRouter(prefix="/apps/{app}/plan")


class PlanKind(StrEnum):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTORE = "restore"


class PlanView(BaseModel):
    """`cost`: sentences that say what becomes of the requests and connections that are open now."""

    app: str
    kind: PlanKind
    steps: list[plans.PlannedStep]
    cost: list[str]


@router.get("")
async def show(app: App, orchestrator: Serving, _who: Reader, kind: PlanKind = PlanKind.DEPLOY) -> PlanView:
    """The steps in their order. A rollback that would be refused is refused here, too."""
    context = orchestrator.apps.get(app)
    match kind:
        case PlanKind.DEPLOY:
            plan = plans.DEPLOY
        case PlanKind.ROLLBACK:
            plan = plans.to_standby(await find_standby(context))
        case PlanKind.RESTORE:
            plan = plans.RESTORE
    return PlanView(app=app, kind=kind, steps=plans.describe(plan, context), cost=await cost_of(context, plan))
