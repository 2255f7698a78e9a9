"""/v1/notices/test and /v1/apps/{app}/notices/test: a message to the services that are told something (`notify`)."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.access import Admin, Serving
from orchestrator.api.values import App
from orchestrator.notices.trials import Trial

router = APIRouter()


class ServiceView(BaseModel):
    """`service`: its kind, and the file and line that its URL stands in. `says`: why it did not take the message."""

    service: str
    taken: bool
    says: str
    seconds: float


class NoticeTest(BaseModel):
    """What each service answered. `problems`: what is wrong with files of URLs. `app`: null for all of them."""

    app: str | None
    services: list[ServiceView]
    problems: list[str]


@router.post("/notices/test")
async def test_all(orchestrator: Serving, who: Admin) -> NoticeTest:
    """Send a test to every service that the configuration names, and wait for the answers, at most 40 s. The status is
    200 also where a service did not take it. Refused where none is named, and while another test is under way."""
    return _view(None, await orchestrator.trials.test(None, who.name))


@router.post("/apps/{app}/notices/test")
async def test(app: App, orchestrator: Serving, who: Admin) -> NoticeTest:
    """As above, to the services that are told what happens to this app."""
    orchestrator.apps.get(app)
    return _view(app, await orchestrator.trials.test(app, who.name))


def _view(app: str | None, trial: Trial) -> NoticeTest:
    services = [ServiceView.model_validate(vars(one)) for one in trial.services]
    return NoticeTest(app=app, services=services, problems=list(trial.problems))
