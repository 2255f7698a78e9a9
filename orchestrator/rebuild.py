"""A journal that was lost is rebuilt from the two others that know: the containers' labels and the proxy's map."""

from __future__ import annotations

from orchestrator.engine.containers import (
    LABEL_APP,
    LABEL_COLOUR,
    LABEL_DEPLOYMENT,
    LABEL_RELEASE,
    LABEL_REVISION,
    LABEL_ROLE,
    ContainerStatus,
    Role,
)
from orchestrator.journal import now
from orchestrator.model import Colour, Deployment, Kind, Release, Slots, State
from orchestrator.site import Site

BY = "rebuilt from what runs"


async def slots_from_what_runs(site: Site) -> bool:
    """Record what has the traffic, and what could be its standby. False where nothing has, or the journal knows."""
    colour = site.proxy.colour_in_file(site.name)
    if colour is None or site.journal.slots(site.name).active:
        return False
    found = [one for one in await site.engine.containers() if _is_app_container(one, site.name)]
    active = next((one for one in found if one.labels.get(LABEL_COLOUR) == colour and one.running), None)
    if active is None:
        return False
    standby = next((one for one in found if one.labels.get(LABEL_COLOUR) == colour.other), None)
    records = [_record(site, one) for one in (active, standby) if one]
    for record in records:
        site.journal.add(record)
    slots = Slots(active=records[0].id, standby=records[1].id if standby else "")
    site.journal.save_switch(site.name, slots)
    return True


def _is_app_container(container: ContainerStatus, app: str) -> bool:
    return container.labels.get(LABEL_APP) == app and container.labels.get(LABEL_ROLE) == Role.APP


def _record(site: Site, container: ContainerStatus) -> Deployment:
    labels = container.labels
    moment = now()
    return Deployment(
        id=labels[LABEL_DEPLOYMENT],
        app=site.name,
        kind=Kind.DEPLOY,
        state=State.LIVE,
        requested_by=BY,
        requested_at=moment,
        live_at=moment,
        ended_at=moment,
        release=Release(labels.get(LABEL_RELEASE, ""), labels.get(LABEL_REVISION, ""), container.image),
        colour=Colour(labels[LABEL_COLOUR]),
        container=container.name,
        address=container.address,
        port=site.app.run.port,
    )
