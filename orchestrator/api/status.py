"""/v1/apps and /v1/apps/{app}: the data of `changeover status`. Users' scripts rely on these names."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from functools import partial

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.access.caller import Caller
from orchestrator.alerts.mute import muted_now
from orchestrator.api.access import Reader, ReaderOfSome, Serving
from orchestrator.api.defects import Defects
from orchestrator.api.update_view import HeldBackView, UpdateView, held_back_view, update_view
from orchestrator.api.values import App
from orchestrator.apps.context import AppContext
from orchestrator.apps.made_from import is_changed_since
from orchestrator.clock import now
from orchestrator.config.schema import PANEL, Route
from orchestrator.deploy.crashed_standby import Crash, warning
from orchestrator.doctor import problems, removed_apps
from orchestrator.domain.deployment import Deployment, State
from orchestrator.domain.unsettled import Unsettled
from orchestrator.domain.update_events import FoundBy
from orchestrator.journal.store import Journal
from orchestrator.notices.wanted import is_wanted
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/apps")


class SlotView(BaseModel):
    """`since` is when it went live last, by a deployment or a rollback."""

    colour: str
    version: str
    revision: str
    image: str
    container: str
    since: datetime | None


class StandbyView(SlotView):
    """`warning` is a sentence that says what speaks against a rollback to it, as that it crashed; empty if nothing."""

    warning: str


class CurrentDeploymentView(BaseModel):
    id: str
    state: str
    step: str | None


class DataProblemView(BaseModel):
    """What a failed change of the app's data left, until it is settled. `remedy` has the commands that settle it."""

    deployment: str
    since: datetime
    says: str
    remedy: str
    backup: str


class TroubleView(BaseModel):
    """What is wrong, a line for each part, what to do, and since when if that is known. `warns`: it goes on by
    itself, or is a disadvantage and no alarm."""

    says: str
    remedy: str
    since: datetime | None
    warns: bool = False


class AppView(BaseModel):
    name: str
    url: str
    active: SlotView | None
    standby: StandbyView | None
    candidate: SlotView | None
    update: UpdateView | None
    held_back: HeldBackView | None
    updates_off: bool
    """Whether `update.enabled` is false: the source is asked only when a person or a push wants it."""
    notify_of: list[FoundBy]
    """The checks whose updates people are told of, by `update.notify_on_update` and `background_check.notify`."""
    deployment: CurrentDeploymentView | None
    health: str
    unsettled: DataProblemView | None
    troubles: list[TroubleView]
    """What keeps requests from the app."""
    configuration_changed: bool
    """Whether the configuration was changed since the active release was deployed."""
    file_not_used: str
    """That the saved configuration file is not in use, so that a deployment takes the one before it; empty if it is.
    A token for all apps is told why."""
    muted_until: datetime | None
    """Until when people are told nothing of the app; null if it is not muted."""


class Apps(BaseModel):
    """`troubles` are those of the installation: a configuration that is refused, a background task that fails, an app
    that is live and not configured any more."""

    apps: list[AppView]
    troubles: list[TroubleView]


@router.get("")
async def list_apps(orchestrator: Serving, who: ReaderOfSome) -> Apps:
    """The apps that the token is for, in the order of the configuration. One for all apps gets `troubles`, too."""
    contexts = [context for context in orchestrator.apps.all() if who.sees(context.name)]
    views = await asyncio.gather(*(app_view(orchestrator, context, who) for context in contexts))
    found = [*problems.of_installation(orchestrator), *await _removed(orchestrator)] if who.apps is None else []
    return Apps(apps=views, troubles=_troubles(found))


@router.get("/{app}")
async def show(app: App, orchestrator: Serving, who: Reader) -> AppView:
    return await app_view(orchestrator, orchestrator.apps.get(app), who)


async def app_view(orchestrator: Orchestrator, context: AppContext, who: Caller) -> AppView:
    """The app's state as `who` may see it, from the journal and the health board.

    Does not contact the engine or the app. A defect in a part of it, of one app, is shown as a trouble of that app.
    """
    journal, checker, defects = orchestrator.journal, orchestrator.checker, Defects(context.name)
    health = await orchestrator.health.of(context.name)
    crash = await defects.awaited(None, "its standby's crashes", orchestrator.crashed_standbys.of(context))
    is_dismissed = partial(checker.remembered.is_dismissed, context.name)
    active = defects.without(None, "its active release", lambda: context.active)
    standby = defects.without(None, "its standby", lambda: context.standby)
    current = defects.without(None, "its deployment", lambda: _under_way(orchestrator, context.name))
    candidate = current if current and current.state is State.RUNNING and current.address else None
    view = AppView(
        name=context.name,
        url=url_of(orchestrator.settings.public_url, context.name, context.config.route),
        active=_slot(journal, active),
        standby=_standby(journal, standby, crash),
        candidate=_slot(journal, candidate),
        update=defects.without(
            None, "its update", lambda: update_view(checker.known(context.name), checker.waits(context.name))
        ),
        updates_off=not context.config.update.enabled,
        notify_of=[one for one in FoundBy if is_wanted(context.config.update, one)],
        held_back=defects.without(
            None, "what is held back", lambda: held_back_view(checker.held_back(context.name), is_dismissed)
        ),
        deployment=_current(current),
        health=health,
        unsettled=defects.without(None, "its data", lambda: _unsettled(journal.unsettled(context.name))),
        troubles=defects.without(
            [], "its troubles", lambda: _troubles(problems.of_app(orchestrator, context.name, health, crash))
        ),
        configuration_changed=defects.without(
            False, "its configuration", lambda: active is not None and is_changed_since(context, active)
        ),
        file_not_used=problems.file_not_used(orchestrator, with_why=who.apps is None),
        muted_until=defects.without(None, "its mute", lambda: _muted_until(journal, context.name)),
    )
    view.troubles += _troubles([problems.not_known(one) for one in defects.parts])
    return view


def _under_way(orchestrator: Orchestrator, app: str) -> Deployment | None:
    holder = orchestrator.scheduler.busy_with(app)
    return orchestrator.journal.deployment(holder.id) if holder else None


def _current(deployment: Deployment | None) -> CurrentDeploymentView | None:
    if deployment is None:
        return None
    step = next((step.name for step in reversed(deployment.steps)), None)
    return CurrentDeploymentView(id=deployment.id, state=deployment.state, step=step)


async def _removed(orchestrator: Orchestrator) -> list[problems.Trouble]:
    found = await removed_apps.removed_apps(orchestrator)
    return [problems.Trouble(removed_apps.what_became_of(app), removed_apps.remedy_for(app)) for app in found]


def _troubles(found: list[problems.Trouble]) -> list[TroubleView]:
    return [TroubleView(says=one.says, remedy=one.remedy, since=one.since, warns=one.warns) for one in found]


def _unsettled(left: Unsettled | None) -> DataProblemView | None:
    return DataProblemView(**asdict(left)) if left else None


def _muted_until(journal: Journal, app: str) -> datetime | None:
    found = muted_now(journal, app, now())
    return found.until if found else None


def url_of(public: str, app: str, route: Route) -> str:
    """The app's URL for browsers. `public` is that of the panel."""
    if app == PANEL:
        return public
    scheme, _, rest = public.partition("://")
    authority = rest.partition("/")[0]
    # The colons of an IPv6 address, such as `[::1]:8080`, stand in brackets.
    _, colon, port = authority.rpartition("]")[2].partition(":")
    # Without hosts, any host that is not another app's leads to it; names below localhost need no DNS.
    host = route.first_host or f"{app}.localhost"
    return f"{scheme}://{host}{colon}{port}{route.path or ''}"


def _standby(journal: Journal, standby: Deployment | None, crash: Crash | None) -> StandbyView | None:
    slot = _slot(journal, standby)
    return StandbyView(**slot.model_dump(), warning=warning(standby, crash)) if slot and standby else None


def _slot(journal: Journal, deployment: Deployment | None) -> SlotView | None:
    if deployment is None or deployment.release is None:
        return None
    return SlotView(
        colour=str(deployment.colour),
        version=deployment.release.version,
        revision=deployment.release.source_revision,
        image=deployment.release.image,
        container=deployment.container,
        since=journal.live_since(deployment.container) if deployment.container else None,
    )
