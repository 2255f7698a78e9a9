"""Step 8, switch: one atomic change at the proxy, read back, and confirmed by a request through the proxy.

From the moment when the journal has the release as live, nothing takes the switch back: what follows cannot fail it,
and waits for a journal or a proxy that is away.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from functools import partial

from orchestrator.apps import pause, traffic
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.deploy import crashed_standby, standby_stays
from orchestrator.deploy.crash_in_words import crash_in_words
from orchestrator.deploy.steps.base import Step
from orchestrator.deploy.steps.start import WakeStandby
from orchestrator.deploy.unchanged import standby_after
from orchestrator.domain.deployment import Deployment, Slots, State, StepName
from orchestrator.domain.events import Ended, Occurrence
from orchestrator.domain.schema_history import newest_run
from orchestrator.errors import ProxyError
from orchestrator.journal.retry import patiently
from orchestrator.proxy.routes import Server


class SwitchToCandidate(Step):
    """Makes the candidate active; the release that was active becomes standby."""

    name = StepName.SWITCH

    def describe(self, context: AppContext) -> str:
        return "Switch the traffic at the proxy, and confirm the switch by a request."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Switch, record the new slots, and resume paused requests. Returns the deployment as live.

        The last other release is the standby. If that is not the one that had the traffic, because that one crashes or
        the same release was deployed again, it gets the colour that the new container does not have.
        Raises ProxyError when the proxy does not switch or another release answers afterwards, EngineError and
        JournalError.
        """
        kept, crash = await standby_stays.kept_by(context, deployment), _crash_of_left(context, deployment)
        await traffic.send_to(context, deployment)
        live_at, known_run = context.journal.timing.moment(deployment.id), deployment.known_run
        if known_run is None:
            known_run = newest_run(context.journal.migrations(context.name))
        live = replace(deployment, state=State.LIVE, live_at=live_at, known_run=known_run)
        standby = kept or await standby_after(context, live)
        is_kept = standby is not None and standby.id != live.previous
        if standby is not None and is_kept and live.colour is not None:
            standby = replace(standby, colour=live.colour.other)
        changed = [one for one in (live, standby) if one]
        slots = Slots(active=live.id, standby=standby.id if standby else "")
        crashed = standby if crash and not is_kept else None
        await _record(context, slots, changed, [crashed_standby.told(crashed, crash, by=live)] if crashed else [])
        live = await _resume(context, live, settled=True)
        if standby is not None and is_kept:
            await _fail_over_to(context, standby, said_by=live)
        elif crashed is not None:
            _say_crashed(context, crashed, crash, by=live)
        return live

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Switch the traffic back to the release that had it before. Raises ProxyError."""
        return await traffic.send_back(context, deployment)


class SwitchToStandby(SwitchToCandidate):
    """Makes the standby active, in a rollback; the release that was active becomes standby, in state rolled_back."""

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Switch, record the new slots, and resume paused requests. Raises ProxyError or JournalError."""
        standby = context.standby
        assert standby is not None
        assert standby.container == deployment.container, "only a switch changes which release is standby"
        crash = _crash_of_left(context, deployment)
        await traffic.send_to(context, standby)
        live = replace(deployment, state=State.LIVE, live_at=context.journal.timing.moment(deployment.id))
        changed = [live, replace(standby, state=State.LIVE)]
        left = context.journal.deployment(deployment.previous) if deployment.previous else None
        told: list[tuple[Occurrence, str]] = []
        if left is not None:
            changed.append(replace(left, state=State.ROLLED_BACK, ended_at=left.ended_at or now()))
            # It was not retired yet: this is its end, which nothing else tells.
            told += [] if left.ended_at else [(Ended(State.ROLLED_BACK), left.id)]
            told += [crashed_standby.told(left, crash, by=live)] if crash else []
        await _record(context, Slots(active=standby.id, standby=deployment.previous), changed, told)
        # After a restore the data is a backup's; a rollback alone leaves it as it is.
        live = await _resume(context, live, settled=bool(deployment.ref))
        if left is not None and crash:
            _say_crashed(context, left, crash, by=live)
        return live


async def _record(
    context: AppContext, slots: Slots, changed: list[Deployment], told: list[tuple[Occurrence, str]]
) -> None:
    """Record a switch, in one transaction with what it tells of the release that is left. Raises JournalError."""
    record = partial(context.journal.save_switch, context.name, slots, *changed)
    if not told:
        await context.journal.beside(record)
        return
    (happened, of), *also = told
    await context.publish(happened, context.name, of, also=also, with_record=record)


def _say_crashed(context: AppContext, standby: Deployment, crash: str, by: Deployment) -> None:
    context.say(by.id, f"{standby.version} is the standby now, and crashed: its container {crash}")


async def _resume(context: AppContext, live: Deployment, *, settled: bool) -> Deployment:
    """Resume paused requests, once the data is on record as `settled`. Returns the deployment with `resumed_at`."""
    journal = context.journal
    if settled:
        await patiently(lambda: journal.beside(journal.settle, context.name))
    return await pause.resume_patiently(context, live)


async def _fail_over_to(context: AppContext, standby: Deployment, said_by: Deployment) -> None:
    """A failover while the release that had the traffic drains goes to the standby. Retiring sets it again."""
    assert standby.colour is not None
    try:
        await context.proxy.set_server(context.name, standby.colour, Server(standby.address, standby.port))
    except ProxyError as error:
        context.say(said_by.id, f"the proxy does not know the standby {standby.version} yet: {error}")


def _crash_of_left(context: AppContext, deployment: Deployment) -> str:
    """How the release that is left crashes (crash_in_words.py); empty if it does not, or a kill came before."""
    left = context.active
    return crash_in_words(context, left) if left and left.id == deployment.previous else ""


class SwitchToAwakened(SwitchToStandby):
    """The same, with a standby that was unpaused a moment ago: `awake` says whether it answers.

    It was ready before it was paused, so that one good answer shows that it is again. One that does not give it at once
    is woken, and waited for, as one that was stopped.
    """

    def __init__(self, awake: Awaitable[bool]) -> None:
        self._awake = awake

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Wait for the standby, then switch. Raises StepFailed when it is not ready, and as SwitchToStandby."""
        if not await self._awake:
            await WakeStandby().run(context, deployment)
        return await super().run(context, deployment)
