"""/v1/doctor: the checks of the installation."""

from __future__ import annotations

from fastapi import APIRouter

from orchestrator.api.access import Reader, Serving
from orchestrator.doctor import checks
from orchestrator.doctor.report import Finding

router = APIRouter()


@router.get("/doctor")
async def examine(orchestrator: Serving, _who: Reader) -> dict[str, list[Finding]]:
    return {"findings": await checks.examine(orchestrator)}
