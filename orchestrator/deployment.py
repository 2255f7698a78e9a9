"""A deployment, from its request to a release that is live: the steps in their order, each with its undo beside it."""

from __future__ import annotations

from dataclasses import replace

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from orchestrator.errors import ChangeoverError, EngineError, JournalError, ProxyError
from orchestrator.events import EventStream
from orchestrator.journal import now
from orchestrator.model import Deployment, State, StepName
from orchestrator.pipeline import RETRY_S, Step, carry_out, patiently, perform, publish_live, undo, why
from orchestrator.site import Site
from orchestrator.steps import backup, build, fetch, migrate, prepare, retire, start, switch, verify

TO_LIVE = (
    Step(StepName.PREPARE, prepare.everything),
    Step(StepName.FETCH, fetch.source, undo=fetch.remove_source),
    Step(StepName.BUILD, build.image),
    Step(StepName.BACKUP, backup.data, undo=backup.remove_sidecars),
    Step(StepName.MIGRATE, migrate.data, undo=migrate.undo),
    Step(StepName.START, start.candidate, undo=start.remove_candidate),
    Step(StepName.VERIFY, verify.candidate, undo=verify.end_preview),
    Step(StepName.SWITCH, switch.to_candidate, undo=switch.back),
)
AFTERWARDS = Step(StepName.RETIRE, retire.previous)
TIDY_WITHIN_S = 60.0


async def deploy(site: Site, events: EventStream, deployment: Deployment) -> Deployment:
    """Make one release live. Whatever fails before that is undone in reverse, while the old release serves on."""
    try:
        deployment = begin(site, events, deployment)
    except JournalError as error:
        return await undo(site, events, deployment, State.FAILED, why(StepName.PREPARE, error), TO_LIVE)
    deployment = await carry_out(site, events, deployment, TO_LIVE)
    if deployment.state is State.LIVE:
        await fetch.remove_source(site, deployment)
        await patiently(lambda: publish_live(events, deployment))
    return deployment


async def clean_up(site: Site, events: EventStream, deployment: Deployment) -> Deployment:
    """After the switch: let the old colour finish, keep it as standby, remove what nobody needs.

    An engine or a proxy that is away for a moment is waited for. What cannot be tidied then is left to the next
    deployment: the release is live and stays so.
    """
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((EngineError, ProxyError, JournalError)),
            stop=stop_after_delay(TIDY_WITHIN_S),
            wait=wait_fixed(RETRY_S),
            reraise=True,
        ):
            with attempt:
                await perform(site, events, AFTERWARDS, deployment)
    except ChangeoverError as error:
        failure = why(StepName.RETIRE, error)
        await patiently(
            lambda: events.publish("retire_failed", site.name, deployment.id, cause=failure.cause, remedy=failure.tip)
        )
    recorded = await patiently(lambda: site.journal.deployment(deployment.id))
    ended = replace(recorded, ended_at=now())
    await patiently(lambda: site.journal.save(ended))
    await patiently(lambda: events.publish("ended", site.name, deployment.id, state=ended.state))
    return ended


def begin(site: Site, events: EventStream, deployment: Deployment) -> Deployment:
    deployment = replace(deployment, state=State.RUNNING, started_at=now())
    site.journal.save(deployment)
    events.publish("started", site.name, deployment.id, by=deployment.requested_by, deployment_kind=deployment.kind)
    return deployment
