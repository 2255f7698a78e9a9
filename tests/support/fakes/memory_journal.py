"""A journal in memory: what a database does for it, without one. `tests/component/test_journal.py` runs both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import ParamSpec, TypeVar

from orchestrator.clock import Timing, now
from orchestrator.domain.deployment import Deployment, Kind, Slots, State, StepName, StepRecord, StepState
from orchestrator.domain.events import Event, EventKind, NewEvent
from orchestrator.domain.release_history import Attempt, attempt_by
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, SchemaRevision
from orchestrator.domain.unsettled import Unsettled
from orchestrator.errors import JournalError, UnknownDeployment
from orchestrator.journal.store import Journal
from tests.support.fakes.power import Power

P = ParamSpec("P")
T = TypeVar("T")

ORDER = {name: number for number, name in enumerate(StepName)}


def _written(events: list[NewEvent], with_record: Callable[[], None] | None) -> str:
    if isinstance(with_record, partial) and with_record.func.__name__ == "save_switch":
        return "save switch"
    newest = events[-1]
    if newest.kind is not EventKind.STEP:
        return "append events"
    return f"{newest.fields['step']} {'started' if newest.fields['state'] == StepState.RUNNING else 'ended'}"


@dataclass
class Records:
    """What is on the disk: it outlives the process."""

    deployments: dict[str, Deployment] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    slots: dict[str, Slots] = field(default_factory=dict)
    runs: dict[int, MigrationRun] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    unsettled: dict[str, Unsettled] = field(default_factory=dict)
    deployed_values: dict[str, dict[str, str]] = field(default_factory=dict)


class MemoryJournal(Journal):
    """As the real one for deployments, steps, slots, migrations and events; it has no tokens and no audit log.

    Each write is an operation at which the power may be cut.
    """

    def __init__(self, records: Records | None = None, power: Power | None = None) -> None:
        self.timing = Timing()
        self._records = records or Records()
        self._power = power or Power()

    def close(self) -> None:
        return None

    async def beside(self, query: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Without a thread, for which a clock that jumps does not wait; others run before and after it, as there."""
        await asyncio.sleep(0)
        found = query(*args, **kwargs)
        await asyncio.sleep(0)
        return found

    def add(self, deployment: Deployment, idempotency_key: str | None = None) -> Deployment:
        self._power.before("journal: add")
        if deployment.id in self._records.deployments:
            raise ValueError(f"{deployment.id} is recorded already")  # a database refuses it as well
        newest = max((one.number for one in self._records.deployments.values()), default=0)
        deployment = replace(deployment, number=deployment.number or newest + 1)
        self._records.deployments[deployment.id] = replace(deployment, steps=())
        if idempotency_key:
            self._records.keys[deployment.app, idempotency_key] = deployment.id
        self._power.after()
        return deployment

    def save(self, deployment: Deployment) -> None:
        self._power.before("journal: save")
        self._save_one(deployment)
        self._power.after()

    def deployed_values(self, deployment: str) -> dict[str, str] | None:
        return self._records.deployed_values.get(deployment)

    def save_deployed_values(self, app: str, deployment: str, values: Mapping[str, str], keep: Collection[str]) -> None:
        self._records.deployed_values[deployment] = dict(values)

    def rewrite(self, deployment_id: str) -> None:
        self._power.before("journal: rewrite")
        self._power.after()

    def save_switch(self, app: str, slots: Slots, *changed: Deployment) -> None:
        self._power.before("journal: save switch")
        for deployment in changed:
            self._save_one(deployment)
        self._records.slots[app] = slots
        self._power.after()

    def deployment(self, deployment_id: str) -> Deployment:
        if deployment_id not in self._records.deployments:
            raise UnknownDeployment(f"There is no deployment {deployment_id}.")
        return self._records.deployments[deployment_id]

    def recorded(self, deployment_id: str) -> Deployment:
        return self.deployment(deployment_id)

    def maker_of(self, container: str) -> Deployment:
        for one in self._newest_first():
            if one.container == container and (one.kind is Kind.DEPLOY or one.brings_release):
                return one
        raise UnknownDeployment(f"The journal has no deployment that made the container {container}.")

    def deployments(self, app: str, limit: int = 50, before: int | None = None) -> list[Deployment]:
        mine = [one for one in self._newest_first() if one.app == app]
        return [one for one in mine if before is None or one.number < before][:limit]

    def apps_with_history(self) -> frozenset[str]:
        return frozenset(one.app for one in self._records.deployments.values())

    def unfinished(self) -> list[Deployment]:
        return [
            one
            for one in self._newest_first()
            if not one.state.ended or (one.state is State.LIVE and one.ended_at is None)
        ]

    def attempts(self, app: str) -> tuple[Attempt, ...]:
        return tuple(
            attempt_by(one)
            for one in self._newest_first()
            if one.app == app and (one.kind is Kind.DEPLOY or one.brings_release)
        )

    def with_key(self, app: str, idempotency_key: str | None) -> Deployment | None:
        known = self._records.keys.get((app, idempotency_key or ""))
        return self.deployment(known) if known else None

    def step_started(self, deployment_id: str, name: StepName) -> None:
        self._power.before(f"journal: {name} started")
        started = StepRecord(name, StepState.RUNNING, self.timing.moment(deployment_id))
        self._record_step(deployment_id, started)
        self._power.after()

    def step_ended(
        self, deployment_id: str, name: StepName, state: StepState, note: str = "", at: datetime | None = None
    ) -> None:
        self._power.before(f"journal: {name} ended")
        ended_at = at or self.timing.moment(deployment_id)
        for record in self._records.deployments[deployment_id].steps:
            if record.name is name:
                ended = replace(record, state=state, ended_at=ended_at, note=note or record.note)
                self._record_step(deployment_id, ended)
        self._power.after()

    def slots(self, app: str) -> Slots:
        return self._records.slots.get(app, Slots())

    def migration_started(
        self,
        app: str,
        deployment_id: str,
        direction: Direction,
        revisions: Iterable[SchemaRevision] = (),
        as_of: datetime | None = None,
    ) -> int:
        self._power.before("journal: migration started")
        number = max(self._records.runs, default=0) + 1
        self._records.runs[number] = MigrationRun(
            number,
            app,
            deployment_id,
            direction,
            tuple(revisions),
            Outcome.RUNNING,
            self.timing.moment(deployment_id),
            as_of=as_of,
        )
        self._power.after()
        return number

    def migration_never_began(self, run: int) -> None:
        self._power.before("journal: migration never began")
        del self._records.runs[run]
        self._power.after()

    def migration_ended(self, run: int, outcome: Outcome, revisions: Iterable[SchemaRevision], note: str = "") -> None:
        self._power.before("journal: migration ended")
        known = self._records.runs[run]
        ended_at = self.timing.moment(known.deployment)
        self._records.runs[run] = replace(
            known, outcome=outcome, revisions=tuple(revisions), ended_at=ended_at, note=note
        )
        self._power.after()

    def add_migration(self, run: MigrationRun) -> None:
        self._power.before("journal: add migration")
        number = max(self._records.runs, default=0) + 1
        self._records.runs[number] = replace(run, id=number)
        self._power.after()

    def migrations(self, app: str) -> list[MigrationRun]:
        return [run for run in self._records.runs.values() if run.app == app]

    def unsettled(self, app: str) -> Unsettled | None:
        return self._records.unsettled.get(app)

    def leave(self, app: str, left: Unsettled) -> None:
        self._power.before("journal: leave")
        self._records.unsettled[app] = left
        self._power.after()

    def settle(self, app: str) -> None:
        if app not in self._records.unsettled:
            return
        self._power.before("journal: settle")
        del self._records.unsettled[app]
        self._power.after()

    def append_events(self, events: Iterable[NewEvent], with_record: Callable[[], None] | None = None) -> None:
        events = list(events)
        self._power.before(f"journal: {_written(events, with_record)}")
        if with_record:
            self._record(with_record)
        for event in events:
            number = len(self._records.events) + 1
            self._records.events.append(
                Event(number, now(), event.kind, event.app, event.deployment, dict(event.fields))
            )
        self._power.after()

    def _record(self, write: Callable[[], None]) -> None:
        """As a part of an operation; nothing is written of what fails."""
        deployments, slots = dict(self._records.deployments), dict(self._records.slots)
        try:
            with self._power.in_one_operation():
                write()
        except JournalError:
            self._records.deployments, self._records.slots = deployments, slots
            raise

    def events(self, after: int = 0, deployment_id: str = "", limit: int = 1000) -> list[Event]:
        found = [one for one in self._records.events if one.id > after]
        return [one for one in found if not deployment_id or one.deployment == deployment_id][:limit]

    def newest_events(
        self, kinds: Collection[EventKind], app: str = "", limit: int = 1000, deployment: str = ""
    ) -> list[Event]:
        mine = [one for one in self._records.events if one.kind in kinds and one.deployment == deployment]
        return [one for one in mine if one.app == app][::-1][:limit]

    def newest_of_each_app(self, kinds: Collection[EventKind]) -> list[Event]:
        mine = [one for one in self._records.events if one.kind in kinds and not one.deployment]
        return sorted({one.app: one for one in mine}.values(), key=lambda one: one.id)

    def newest_live(self, container: str) -> int:
        moves = (one for one in self._newest_first() if one.kind is not Kind.RESTORE or one.brings_release)
        return next((one.number for one in moves if one.container == container and one.live_at), 0)

    def with_event(self, deployment_ids: Collection[str], kinds: Collection[EventKind]) -> set[str]:
        return {one.deployment for one in self._records.events if one.kind in kinds} & set(deployment_ids)

    def output(self, deployment_ids: Collection[str], limit: int) -> list[Event]:
        found = [one for one in self._records.events if one.kind == EventKind.LINE]
        return [one for one in found if one.deployment in deployment_ids][-limit:]

    def forget_output(self, app: str, keep: int) -> list[str]:
        mine = [one for one in self._newest_first() if one.app == app]
        counted = [one.number for one in mine if one.kind is Kind.DEPLOY][:keep]
        old = {one.id for one in mine if counted and one.number < min(counted)}
        self._power.before("journal: forget output")
        self._records.events = [
            one for one in self._records.events if not (one.kind == EventKind.LINE and one.deployment in old)
        ]
        self._power.after()
        return [one.id for one in mine if one.id not in old]

    def last_event_id(self) -> int:
        return max((one.id for one in self._records.events), default=0)

    def _save_one(self, deployment: Deployment) -> None:
        if known := self._records.deployments.get(deployment.id):
            self._records.deployments[deployment.id] = replace(deployment, steps=known.steps, number=known.number)
        if deployment.ended_at:
            self.timing.end(deployment.id)

    def _record_step(self, deployment_id: str, record: StepRecord) -> None:
        """In the place of an older record of the same step; the order is that of the steps."""
        deployment = self._records.deployments[deployment_id]
        others = [one for one in deployment.steps if one.name is not record.name]
        steps = sorted((*others, record), key=lambda one: ORDER[one.name])
        self._records.deployments[deployment_id] = replace(deployment, steps=tuple(steps))

    def _newest_first(self) -> list[Deployment]:
        return sorted(self._records.deployments.values(), key=lambda one: one.number, reverse=True)
