"""A migration that fails half-way is taken back, or it is said exactly what stands and which command restores what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Deployment, Kind, State, StepName
from orchestrator.domain.schema_history import applied
from tests.support import virtual_time
from tests.support.fakes.stories import ROW
from tests.support.fakes.world import APP, World

LATE_ROW = "an order of the old release during the migration"


def app(**migrate: object) -> App:
    return App.model_validate(
        {
            "route": {"host": "shop.test"},
            "run": {"data": "/data"},
            "migrate": {"command": "up", **migrate},
            "health": {"answers": 1, "timeout": 0.05},
            "update": {"rollback": {"max_rollback_attempts": 2}},
        }
    )


@dataclass(frozen=True)
class Case:
    """An app whose release brings 0003, 0004 and 0005. The migrate command fails at one of them.

    `breaks`: the old release cannot run on 0003. `stands`: the schema afterwards. `says`: a part of the undo's text.
    """

    config: App
    fails_at: str
    breaks: bool
    stands: list[str]
    says: str
    left: bool = False
    serves: bool = True
    meanwhile: Callable[[World], None] = lambda world: None
    backs_up: bool = True
    torn: bool = False
    """Whether a part of the migration that fails is committed, which the app's tool still has as pending."""


def status_fails(world: World) -> None:
    world.engine.failing.add("status")


def down_fails(world: World) -> None:
    world.engine.failing.add("down")


def resumed_by_hand(world: World) -> None:
    world.proxy.waiting.clear()


STATUS, DOWN = {"status": "status"}, {"down": "down {revision}"}
BEFORE, HALF = ["0001", "0002"], ["0001", "0002", "0003", "0004"]
CASES = {
    "names and a way down": Case(app(**STATUS, **DOWN), "0005", False, BEFORE, "Reverted 0003, 0004"),
    "names and a way down, under pause": Case(app(**STATUS, **DOWN), "0005", True, BEFORE, "Reverted 0003, 0004"),
    "names, compatible, and perhaps a part of the next one": Case(
        app(**STATUS), "0005", False, HALF, "Kept 0003, 0004: the app reports that v1 can run", left=True
    ),
    "names, compatible, and a part of the next one": Case(
        app(**STATUS), "0005", False, HALF, "Whether 0005, which failed, left a part is not known", left=True, torn=True
    ),
    "names, under pause": Case(app(**STATUS), "0005", True, BEFORE, "Restored backup"),
    "names, nothing committed": Case(app(**STATUS), "0003", False, BEFORE, "Nothing of migrate.command was committed"),
    "the command alone": Case(app(), "0005", False, HALF, "schema of data/shop.db differs", left=True),
    "the command alone, and the old release cannot run": Case(
        app(), "0005", True, HALF, "schema of data/shop.db differs", left=True, serves=False
    ),
    "the command alone, no schema committed": Case(
        app(), "0003", True, BEFORE, "is as in backup {backup}. Rows or files of data/shop.db have", left=True
    ),
    "a way down of which nobody knows whether there is something to revert": Case(
        app(down="down 0001"), "0003", True, BEFORE, "Rows or files of data/shop.db have", left=True
    ),
    "the command alone, no backup": Case(
        app(), "0005", False, HALF, "there is no backup to compare the data with", left=True, backs_up=False
    ),
    "names, no backup": Case(
        app(**STATUS), "0005", False, HALF, "Kept 0003, 0004", left=True, backs_up=False
    ),
    "names and a way down, no backup": Case(
        app(**STATUS, **DOWN), "0005", True, BEFORE, "Reverted 0003, 0004", backs_up=False
    ),
    "names, under pause, where none is made otherwise": Case(
        app(**STATUS), "0005", True, BEFORE, "Restored backup", backs_up=False
    ),
    "the command alone, under pause": Case(app(compatible=False), "0005", True, BEFORE, "Restored backup"),
    "the command alone, under pause, nothing committed": Case(
        app(compatible=False), "0003", True, BEFORE, "Nothing of the migration was committed"
    ),
    "the command alone, under pause, resumed by hand": Case(
        app(compatible=False), "0005", True, HALF, "differs", left=True, serves=False, meanwhile=resumed_by_hand
    ),
    "no names, and a way down that needs none": Case(
        app(down="down 0002"), "0005", True, BEFORE, "Reverted by migrate.down"
    ),
    "no names, a way down that needs them, under pause": Case(
        app(compatible=False, **DOWN), "0005", True, BEFORE, "Restored backup"
    ),
    "names that cannot be asked for afterwards": Case(
        app(**STATUS), "0005", True, BEFORE, "Restored backup", meanwhile=status_fails
    ),
    "a way down that fails": Case(
        app(**STATUS, **DOWN), "0005", True, HALF, "0003, 0004 stands in the data", left=True, serves=False,
        meanwhile=down_fails,
    ),
    "names, and a part of the first one committed": Case(
        app(**STATUS), "0003", False, BEFORE, "schema of data/shop.db differs", left=True, torn=True
    ),
    "names, and a part of the first one committed, under pause": Case(
        app(**STATUS), "0003", True, BEFORE, "Restored backup", torn=True
    ),
    "names, a way down, and a part of the first one committed": Case(
        app(**STATUS, **DOWN), "0003", True, BEFORE, "schema of data/shop.db differs", left=True, torn=True
    ),
    "names, a way down, and a part of a later one committed": Case(
        app(**STATUS, **DOWN), "0004", True, BEFORE, "0003 is reverted, but the data is not as before", left=True,
        torn=True,
    ),
    "the command alone, and a part of the first one committed": Case(
        app(), "0003", False, BEFORE, "schema of data/shop.db differs", left=True, torn=True
    ),
}  # fmt: skip


async def failed(world: World, case: Case) -> Deployment:
    """Version 1 is live, and version 2 fails in its migration, while version 1 takes another order if it is asked."""
    world.engine.silent = True
    if not case.backs_up:
        backup = {"create_before_update": False}
        update = {"backup": backup, "migrations": {"backup_before_migration": False}}
        world.configure(update=case.config.model_dump(exclude_defaults=True)["update"] | update)
    world.publish(*BEFORE)
    live = await world.deploy()
    assert live.state is State.LIVE, live.failure
    world.engine.data_of(APP).rows.add(ROW)
    world.engine.half_way.add(case.fails_at)
    world.engine.torn |= {case.fails_at} if case.torn else set()
    world.engine.incompatible |= {"0003"} if case.breaks else set()

    def meanwhile() -> None:
        if APP not in world.proxy.waiting:
            world.engine.data_of(APP).rows.add(LATE_ROW)
        case.meanwhile(world)

    world.engine.meanwhile = meanwhile
    world.publish("0003", "0004", "0005")
    ended = await world.deploy()
    await asyncio.sleep(1)  # an end is recorded before the next may begin
    world.engine.meanwhile = lambda: None
    world.engine.failing.clear()
    return ended


def test_what_was_found_out_is_said_once(tmp_path: Path) -> None:
    async def story() -> list[str]:
        world = World(tmp_path, app(compatible=False))
        ended = await failed(world, CASES["the command alone, under pause, nothing committed"])
        events = world.journal.events(0, ended.id, 10_000)
        return [str(one.fields.get("line", "")) for one in events]

    said = [one for one in virtual_time.run(story()) if "Nothing of the migration was committed" in one]

    assert len(said) == 1


@pytest.mark.parametrize("is_dumped", [False, True], ids=["in a volume", "on a database server"])
@pytest.mark.parametrize("name", CASES)
def test_what_it_committed_is_taken_back_or_told(name: str, *, is_dumped: bool, tmp_path: Path) -> None:
    case, world = CASES[name], World(tmp_path, CASES[name].config)
    if is_dumped:
        world.engine.is_dumped = True
        world.configure(backup={"dump": "dump", "restore": "load"})

    ended = virtual_time.run(failed(world, case))

    why = ended.failure
    assert (ended.state, world.proxy.waiting) == (State.FAILED, set())
    assert why is not None
    assert world.engine.data_of(APP).schema == case.stands
    assert bool(world.engine.data_of(APP).pieces) is (case.torn and case.left)
    assert not case.torn or "Nothing" not in " ".join(why.undone)
    assert ROW in world.engine.data_of(APP).rows
    says = case.says.replace("data/shop.db", "dump/shop.sql") if is_dumped else case.says
    assert says.format(backup=ended.backup) in " ".join(why.undone)
    assert why.serving is not None
    assert why.serving.answers is case.serves, why.serving.says
    left = world.journal.unsettled(APP)
    assert (left is not None) is case.left
    assert (why.left, why.left_remedy) == ((left.says, left.remedy) if left else ("", ""))
    if left and not case.backs_up:
        assert "No backup was made before" in left.remedy
    elif left:
        assert f"changeover backup restore {APP} {ended.backup}" in left.remedy
        assert left.backup == ended.backup


@pytest.mark.parametrize("name", CASES)
def test_no_write_that_was_acknowledged_is_lost_by_the_way_back(name: str, tmp_path: Path) -> None:
    case, world = CASES[name], World(tmp_path, CASES[name].config)

    ended = virtual_time.run(failed(world, case))

    assert (LATE_ROW in world.engine.data_of(APP).rows) is (ended.paused_at is None)


@pytest.mark.parametrize("app_writes", [True, False])
def test_nothing_is_said_to_be_committed_only_if_no_row_has_changed(app_writes: bool, tmp_path: Path) -> None:
    """A script whose statements are committed one by one may have changed rows, and no schema."""
    world = World(tmp_path, app())

    async def story() -> Deployment:
        world.engine.silent = True
        world.publish(*BEFORE)
        await world.deploy()
        world.engine.half_way.add("0003")
        if app_writes:
            world.engine.meanwhile = lambda: world.engine.data_of(APP).rows.add(LATE_ROW)
        world.publish("0003")
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.failure is not None
    assert ("Nothing of the migration was committed" in " ".join(ended.failure.undone)) is not app_writes


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.left and case.backs_up])
def test_the_command_that_is_offered_settles_it_and_keeps_what_it_replaced(name: str, tmp_path: Path) -> None:
    case, world = CASES[name], World(tmp_path, CASES[name].config)

    async def story() -> Deployment:
        ended = await failed(world, case)
        record = await world.scheduler.restore(APP, ended.backup, by="me", kind=Kind.RESTORE)
        return await world.until_ended(record.id)

    restored = virtual_time.run(story())
    assert restored.state is State.LIVE, restored.failure
    assert world.engine.data_of(APP).schema == BEFORE
    assert world.journal.unsettled(APP) is None
    assert not world.engine.data_of(APP).pieces
    assert world.engine.backups[APP][restored.backup][1].schema == case.stands


def test_a_release_whose_migrations_succeed_settles_it(tmp_path: Path) -> None:
    world = World(tmp_path, CASES["the command alone"].config)

    async def story() -> Deployment:
        await failed(world, CASES["the command alone"])
        world.engine.half_way.clear()
        return await world.deploy()

    assert virtual_time.run(story()).state is State.LIVE
    assert world.journal.unsettled(APP) is None


def test_a_second_failure_keeps_the_backup_of_before_the_first(tmp_path: Path) -> None:
    world = World(tmp_path, CASES["the command alone"].config)

    async def story() -> tuple[Deployment, Deployment]:
        return await failed(world, CASES["the command alone"]), await world.deploy()

    first, second = virtual_time.run(story())
    left = world.journal.unsettled(APP)
    assert left is not None
    assert left.backup == first.backup != second.backup
    assert second.failure is not None
    assert first.backup in second.failure.left_remedy
    # Its own output says that it has committed nothing.
    assert first.failure is not None
    assert (
        second.failure.left == f"{first.failure.left} Since {left.since:%Y-%m-%d %H:%M} UTC, by deployment {first.id}."
    )


def test_a_first_deployment_says_that_what_was_committed_stays(tmp_path: Path) -> None:
    world = World(tmp_path, app(**STATUS))

    async def story() -> Deployment:
        world.publish("0001", "0002")
        world.engine.half_way.add("0002")
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.failure is not None
    assert any("committed 0001" in said and "stays" in said for said in ended.failure.undone), ended.failure.undone


@pytest.mark.parametrize("broken", ["build", "v2"])
def test_after_every_failure_the_old_release_is_asked_before_it_is_said_to_serve(broken: str, tmp_path: Path) -> None:
    world = World(tmp_path, app(**STATUS))

    async def story() -> tuple[Deployment, Deployment]:
        world.publish("0001")
        await world.deploy()
        (world.engine.failing if broken == "build" else world.engine.broken).add(broken)
        world.publish()
        well = await world.deploy()
        world.engine.broken.add("v1")
        return well, await world.deploy()

    well, unwell = (one.failure for one in virtual_time.run(story()))
    assert well is not None
    assert well.serving is not None
    assert well.serving.says == "v1 on blue serves: it has answered /readyz at its container and through the proxy."
    assert unwell is not None
    assert unwell.serving is not None
    assert not unwell.serving.answers
    assert "does not serve" in unwell.serving.says
    told = " ".join(str(one.fields) for one in world.journal.events())
    assert "serves: it has answered" not in told, "it is told with the outcome, and not as output before it"


def test_the_path_that_has_answered_is_said_and_not_one_that_the_app_does_not_have(tmp_path: Path) -> None:
    world = World(tmp_path, app(**STATUS))
    world.engine.not_found.add("/readyz")

    async def story() -> Deployment:
        world.publish("0001")
        await world.deploy()
        world.engine.failing.add("build")
        world.publish()
        return await world.deploy()

    failure = virtual_time.run(story()).failure
    assert failure is not None
    assert failure.serving is not None
    assert failure.serving.says == "v1 on blue serves: it has answered / at its container and through the proxy."


@pytest.mark.parametrize("migrate", [{}, STATUS, STATUS | DOWN])
def test_data_that_was_there_before_the_first_release_is_as_it_was_found(
    migrate: dict[str, object], tmp_path: Path
) -> None:
    """Of an earlier installation, or moved here by a person. Nobody else writes to it."""
    world = World(tmp_path, app(**migrate))

    async def story() -> Deployment:
        await world.engine.ensure_volume(world.context.volume)
        world.engine.data_of(APP).rows.add(ROW)
        world.engine.silent = not migrate
        world.engine.half_way.add("0002")
        world.publish("0001", "0002")
        return await world.deploy()

    ended = virtual_time.run(story())
    assert (ended.state, world.engine.data_of(APP).schema) == (State.FAILED, [])
    assert world.engine.data_of(APP).rows == {ROW}
    assert world.engine.backups[APP][ended.backup][1].rows == {ROW}
    assert world.journal.unsettled(APP) is None


def test_a_first_release_over_data_is_live_with_a_backup_of_what_was_there(tmp_path: Path) -> None:
    world = World(tmp_path, app(**STATUS))

    async def story() -> Deployment:
        await world.engine.ensure_volume(world.context.volume)
        world.engine.data_of(APP).rows.add(ROW)
        world.publish("0001")
        return await world.deploy()

    ended = virtual_time.run(story())
    assert (ended.state, world.engine.data_of(APP).schema) == (State.LIVE, ["0001"])
    assert world.engine.backups[APP][ended.backup][1].rows == {ROW}


def test_a_rollback_that_fails_while_the_release_is_still_retired_stays_unsettled(tmp_path: Path) -> None:
    """The release that was live went on to be retired then, which recorded that nothing is left in the data."""
    world = World(tmp_path, app(**STATUS, **DOWN))

    async def story() -> Deployment:
        world.publish("0001")
        await world.deploy()
        world.engine.incompatible.add("0002")
        world.publish("0002")
        second = await world.scheduler.request(APP, ref="", by="test")
        while not world.journal.deployment(second.id).has_begun(StepName.RETIRE):  # noqa: ASYNC110 (at that moment)
            await asyncio.sleep(0)
        world.engine.broken.add("v1")
        world.engine.failing.add("up")
        rolled_back = await world.scheduler.roll_back(APP, by="test")
        await world.at_rest()
        return rolled_back

    ended = virtual_time.run(story())
    assert ended.failure is not None
    assert ended.failure.left
    left = world.journal.unsettled(APP)
    assert left is not None
    assert left.deployment == ended.id


@pytest.mark.parametrize("over_data", [True, False])
@pytest.mark.parametrize("migrate", [{}, STATUS, STATUS | DOWN])
def test_after_a_first_release_that_fails_later_nothing_untrue_is_said_of_its_migration(
    migrate: dict[str, object], *, over_data: bool, tmp_path: Path
) -> None:
    """A command that reports no names was taken for one that did nothing."""
    world = World(tmp_path, app(**migrate))

    async def story() -> Deployment:
        if over_data:
            await world.engine.ensure_volume(world.context.volume)
            world.engine.data_of(APP).rows.add(ROW)
        world.engine.silent = True
        world.engine.broken.add("v1")
        world.publish("0001", "0002")
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.failure is not None
    said = " ".join(ended.failure.undone)
    if over_data:
        assert world.engine.data_of(APP).schema == []
        assert "made of the data as it was found" in said
    else:
        assert world.engine.data_of(APP).schema == ["0001", "0002"]
        assert "what the migration committed stays" in said


@pytest.mark.parametrize("config", [app(), app(**STATUS), app(**STATUS, **DOWN)], ids=["alone", "status", "down"])
@pytest.mark.parametrize("first", [True, False])
def test_of_a_migration_that_was_never_started_nothing_is_said_to_stand(
    tmp_path: Path, config: App, first: bool
) -> None:
    """Its network did not exist. It was said that what it committed stays, and could not be found out."""
    world = World(tmp_path, config)

    async def story() -> Deployment:
        world.engine.silent = True
        world.publish(*BEFORE)
        if not first:
            await world.deploy()
            world.publish("0003")
        world.engine.refused.add("up")
        return await world.deploy()

    ended = virtual_time.run(story())

    assert (ended.state, ended.failure and ended.failure.step) == (State.FAILED, StepName.MIGRATE)
    assert ended.failure
    assert not ended.failure.undone
    assert world.journal.unsettled(APP) is None
    assert not [run for run in world.journal.migrations(APP) if run.deployment == ended.id]


def test_what_stood_without_names_has_them_when_the_app_reports_again(tmp_path: Path) -> None:
    """The next release applied the rest, and the journal never knew of the first half: a rollback left it."""
    world = World(tmp_path, app(**STATUS))
    case = Case(app(**STATUS), "0005", breaks=False, stands=HALF, says="", meanwhile=status_fails)

    async def story() -> Deployment:
        await failed(world, case)
        assert world.journal.unsettled(APP)
        world.engine.half_way.clear()
        return await world.deploy()

    assert virtual_time.run(story()).state is State.LIVE
    known = [one.revision for one in applied(world.journal.migrations(APP))]
    assert known == world.engine.data_of(APP).schema == [*HALF, "0005"]


def test_what_stood_before_the_first_release_has_names_when_the_app_reports_again(tmp_path: Path) -> None:
    world = World(tmp_path, app(**STATUS))

    async def story() -> Deployment:
        world.publish("0001", "0002")
        world.engine.half_way.add("0002")
        world.engine.meanwhile = lambda: status_fails(world)
        assert (await world.deploy()).state is State.FAILED
        world.engine.meanwhile = lambda: None
        world.engine.failing.clear()
        world.engine.half_way.clear()
        return await world.deploy()

    assert virtual_time.run(story()).state is State.LIVE
    assert [one.revision for one in applied(world.journal.migrations(APP))] == ["0001", "0002"]


@pytest.mark.parametrize("is_torn", [False, True])
def test_what_a_failed_undo_left_is_settled_when_recovery_has_reverted_it(tmp_path: Path, is_torn: bool) -> None:
    """It stayed red, and the command that was offered restored an old backup of data that was as before. A part of a
    migration, which no way down takes back, stays."""
    case = CASES["a way down that fails"]
    world = World(tmp_path, case.config)

    async def story() -> None:
        await failed(world, case)
        assert world.journal.unsettled(APP) is not None
        if is_torn:
            world.engine.data_of(APP).pieces.add("0005")
        await world.restart()
        await world.at_rest()

    virtual_time.run(story())
    assert world.engine.data_of(APP).schema == BEFORE
    assert (world.journal.unsettled(APP) is not None) is is_torn
