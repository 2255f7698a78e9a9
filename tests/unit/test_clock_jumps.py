"""The time of day jumps at any moment, days ahead and back: nothing but what is shown as a time depends on it."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orchestrator.clock import MOST_TIMED, Timing, now, showing
from orchestrator.deploy.standby import way_by_restore
from orchestrator.domain.deployment import Deployment, Kind, State, StepName, StepState
from orchestrator.domain.events import EventKind, NewEvent
from orchestrator.domain.release_history import may_be_offered
from orchestrator.domain.schema_history import Direction, Outcome, SchemaRevision
from orchestrator.journal.store import Journal
from panel.client.events import Event
from panel.widgets.steps import Progress
from tests.support import virtual_time
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import STORIES, Story, app, assert_whole, live
from tests.support.fakes.world import APP, World

START = datetime(2026, 11, 26, tzinfo=UTC)
FARTHEST_S = 40 * 24 * 3600
LONGEST_S = 60.0
"""No story takes so long, and every jump is longer with all probability."""
MOMENT = re.compile(r"\d{8}-\d{6}-\d{6}|\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC")


def jumping(seed: int) -> Callable[[], datetime]:
    """Another time of day at every look at the clock."""
    dice = random.Random(seed)
    return lambda: START + timedelta(seconds=dice.uniform(-FARTHEST_S, FARTHEST_S))


def told(world: World) -> object:
    """Everything that somebody is told or that something is decided by, but for ids and times."""
    history = world.journal.deployments(APP)
    numbers = {one.id: one.number for one in history}
    slots, data = world.journal.slots(APP), world.engine.data_of(APP)

    def of(one: Deployment) -> object:
        steps = [(step.name, step.state) for step in one.steps]
        failure = one.failure and MOMENT.sub("at a time", f"{one.failure.cause} {one.failure.undone}")
        return one.number, one.kind, one.state, one.version, one.colour, numbers.get(one.previous), steps, failure

    attempts = world.journal.attempts(APP)
    revisions = sorted({one.release.source_revision for one in history if one.release})
    return {
        "history": [of(one) for one in history],
        "slots": (numbers.get(slots.active), numbers.get(slots.standby)),
        "runs": [(run.direction, run.outcome, run.revisions) for run in world.journal.migrations(APP)],
        "data": (data.rows, data.schema),
        "backups": [
            (manifest.version, manifest.applied, manifest.after)
            for manifest, _ in world.engine.backups.get(APP, {}).values()
        ],
        "offered": {revision: may_be_offered(attempts, revision) for revision in revisions},
    }


def assert_durations_are_true(world: World) -> None:
    for one in world.journal.deployments(APP):
        taken = [one.seconds_to_live, one.paused_s, *(step.seconds for step in one.steps)]
        taken += [run.seconds for run in world.journal.migrations(APP)]
        assert all(0 <= seconds < LONGEST_S for seconds in taken if seconds is not None), taken


@pytest.mark.parametrize("name", STORIES)
@settings(max_examples=5, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_a_story_ends_in_the_same_way_whatever_the_clock_shows_meanwhile(
    tmp_path_factory: pytest.TempPathFactory, name: str, seed: int
) -> None:
    def lived(folder: Path) -> World:
        config, before, story = STORIES[name]
        return virtual_time.run(_lived(World(folder, config), before, story))

    true = lived(tmp_path_factory.mktemp("true"))
    with showing(jumping(seed)):
        jumped = lived(tmp_path_factory.mktemp("jumped"))

    assert told(jumped) == told(true)
    assert_durations_are_true(jumped)


async def _lived(world: World, before: Story, story: Story) -> World:
    await before(world)
    await story(world)
    await world.at_rest()
    assert_whole(world, "at the end")
    return world


KILLED = ("a deployment", "a rollback with the data", "a restore")


@pytest.mark.parametrize("name", KILLED)
def test_nothing_took_less_than_no_time_after_a_kill_and_a_clock_that_was_set_back(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    """A host that starts again with a wrong clock: 'live after -3456000 s', and requests waited as long."""

    async def story(operation: int) -> bool:
        config, before, act = STORIES[name]
        world = World(tmp_path_factory.mktemp(str(operation)), config)
        with showing(lambda: START):
            await before(world)
            world.power.cut_at(operation, after=True)
            with suppress(Killed):
                await act(world)
            if not world.power.dead:
                await world.events.stop()
                return False
        with showing(lambda: START - timedelta(days=40)):
            await world.restart()
            await asyncio.sleep(1)
        assert_durations_are_true(world)
        said = [event.fields.get(name) for event in world.journal.events() for name in ("seconds", "paused")]
        assert all(seconds >= 0 for seconds in said if isinstance(seconds, float)), said
        return True

    operations = 0
    while virtual_time.run(story(operations)):
        operations += 3
    assert operations > 20


def test_a_recovery_that_failed_is_not_told_of_a_release_that_went_live_since_then_by_a_clock_that_was_set_back(
    tmp_path: Path,
) -> None:
    async def story() -> tuple[bool, bool]:
        world = World(tmp_path, app())
        await live(world, "0001")
        await world.new_process()
        before = world.context.active
        assert before is not None
        world.engine.broken.add(before.version)
        world.engine.running[before.container].running = False
        await world.recovery.recover_all()
        assert world.recovery.problem(APP)
        concerned = world.recovery.concerns(before)
        world.publish()
        with showing(lambda: START - timedelta(days=400)):
            deployed = await world.deploy()
        assert deployed.state is State.LIVE, deployed.failure
        return concerned, world.recovery.concerns(deployed)

    assert virtual_time.run(story()) == (True, False)


def test_a_backup_is_not_said_to_be_minutes_old_by_a_clock_that_was_set_back(tmp_path: Path) -> None:
    async def story() -> tuple[str, str]:
        world = World(tmp_path, app(down=False))
        with showing(lambda: START):
            await live(world, "0001")
            world.engine.incompatible.add("0002")
            await live(world, "0002")
        with showing(lambda: START + timedelta(minutes=14, seconds=30)):
            later = way_by_restore(world.context)
        with showing(lambda: START - timedelta(days=40)):
            return later, way_by_restore(world.context)

    later, before = virtual_time.run(story())

    assert "went live 14 min ago" in later
    assert "went live at 2026-11-26 00:00 UTC" in before


def test_moments_are_as_far_apart_as_they_were_and_a_new_one_begins_at_the_time_of_day() -> None:
    timing = Timing()
    with showing(lambda: START):
        first = timing.moment("one")
    with showing(lambda: START + timedelta(days=40)):
        assert timedelta(0) <= timing.moment("one") - first < timedelta(seconds=LONGEST_S)
        assert timing.moment("two") == now()
        assert timing.moment("") == now()
        timing.end("one")
        assert timing.moment("one") == now()


def test_what_never_ends_is_not_timed_for_ever() -> None:
    timing = Timing()
    for number in range(MOST_TIMED + 10):
        timing.moment(str(number))
    with showing(lambda: START):
        assert timing.moment("0") == START or abs(timing.moment("0") - START) < timedelta(seconds=LONGEST_S)


def test_the_panel_shows_how_long_a_step_took_and_not_how_far_the_clock_was_set() -> None:
    progress, before = Progress(), START - timedelta(days=40)
    progress.take(Event(id=1, at=START, kind="step", fields={"step": "build", "state": "running"}))
    progress.take(Event(id=2, at=before, kind="step", fields={"step": "build", "state": "done", "seconds": 1.5}))
    progress.take(Event(id=3, at=START, kind="step", fields={"step": "backup", "state": "running"}))
    progress.take(Event(id=4, at=before, kind="step", fields={"step": "backup", "state": "done"}))

    assert progress.seconds == {"build": 1.5, "backup": 0.0}


def test_the_journal_on_the_disk_keeps_the_order_and_the_durations(journal: Journal) -> None:
    with showing(jumping(7)):
        for number in range(5):
            one = Deployment(f"d{number}", APP, Kind.DEPLOY, State.RUNNING, "me", now())
            journal.add(one)
            journal.step_started(one.id, StepName.BUILD)
            run = journal.migration_started(APP, one.id, Direction.UP)
            journal.migration_ended(run, Outcome.DONE, [SchemaRevision(f"000{number}", "base")])
            journal.step_ended(one.id, StepName.BUILD, StepState.DONE)
            journal.append_events([NewEvent(EventKind.LINE, APP, one.id, {"line": one.id})])
            journal.save(replace(one, state=State.LIVE, ended_at=journal.timing.moment(one.id)))

    history, runs = journal.deployments(APP), journal.migrations(APP)
    taken = [step.seconds for one in history for step in one.steps] + [run.seconds for run in runs]
    assert [one.id for one in history] == ["d4", "d3", "d2", "d1", "d0"]
    assert [one.id for one in journal.deployments(APP, limit=2)] == ["d4", "d3"]
    assert [run.deployment for run in runs] == ["d0", "d1", "d2", "d3", "d4"]
    assert [event.deployment for event in journal.events()] == ["d0", "d1", "d2", "d3", "d4"]
    assert len(taken) == 10
    assert all(seconds is not None and 0 <= seconds < LONGEST_S for seconds in taken)
