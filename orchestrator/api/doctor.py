"""/v1/doctor: the checks of the installation."""

from __future__ import annotations

from fastapi import APIRouter, Request

from orchestrator.api.access import Reader, Serving
from orchestrator.doctor import checks
from orchestrator.doctor.report import Finding
from orchestrator.host.shared_question import SharedQuestion

router = APIRouter()


@router.get("/doctor")
async def examine(request: Request, orchestrator: Serving, _who: Reader) -> dict[str, list[Finding]]:
    """Of many who ask at once, few examine: it asks each app, the engine and each place of backups."""
    shared: SharedQuestion[list[Finding]] = request.app.state.examination
    return {"findings": await shared.ask(lambda: checks.examine(orchestrator))}
