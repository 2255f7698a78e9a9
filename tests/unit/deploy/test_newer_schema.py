"""A release that was rolled back to may run on a schema that is newer than it knows: then its own commands fail on it,
as those of Alembic do, and nothing may depend on them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.app_data import backups, migrations
from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Deployment, Kind, State, StepName
from orchestrator.domain.schema_history import Direction, Outcome
from tests.support import virtual_time
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import app, assert_whole, live
from tests.support.fakes.world import APP, World


async def rolled_back(world: World, *, compatible: bool) -> str:
    """A backup of the newer schema. The release before it is live; another one was, in between."""
    await live(world, "0001")
    if not compatible:
        world.engine.incompatible.add("0002")
    await live(world, "0002")
    made = "" if compatible else await backed_up(world)
    await world.roll_back()
    return made or await backed_up(world)


async def backed_up(world: World) -> str:
    async with world.data_turn:
        return (await backups.create(world.context, the_active(world), "by hand")).id


def the_active(world: World) -> Deployment:
    active = world.context.active
    assert active is not None
    return active


async def restored(world: World, backup: str, *, release: bool = False) -> Deployment:
    record = await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE, release=release)
    return await world.until_ended(record.id)


@pytest.mark.parametrize("release", [False, True], ids=["data alone", "with its release"])
def test_a_backup_that_was_made_after_the_rollback_is_restored(world: World, release: bool) -> None:
    async def story() -> Deployment:
        backup = await rolled_back(world, compatible=True)
        await restored(world, min(world.engine.backups[APP]))
        return await restored(world, backup, release=release)

    ended = virtual_time.run(story())
    assert ended.state is State.LIVE, ended.failure
    assert the_active(world).version == "v1"
    assert world.engine.data_of(APP).schema == ["0001", "0002"]
    assert_whole(world, "restored after a rollback")


def test_a_backup_with_its_release_is_restored_once_more(world: World) -> None:
    async def story() -> list[Deployment]:
        backup = await rolled_back(world, compatible=True)
        return [await restored(world, backup, release=True), await restored(world, backup)]

    assert [one.state for one in virtual_time.run(story())] == [State.LIVE, State.LIVE]
    assert_whole(world, "restored twice")


def test_what_the_live_release_cannot_run_on_is_reverted_in_restored_data(world: World) -> None:
    async def story() -> Deployment:
        return await restored(world, await rolled_back(world, compatible=False))

    ended = virtual_time.run(story())
    assert ended.state is State.LIVE, ended.failure
    assert the_active(world).version == "v1"
    assert world.engine.data_of(APP).schema == ["0001"]
    assert_whole(world, "restored from a newer schema")


def test_data_that_cannot_be_brought_to_the_live_release_stays_in_the_backup(world: World) -> None:
    async def story() -> Deployment:
        backup = await rolled_back(world, compatible=False)
        world.configure(migrate=app(down=False).migrate)
        return await restored(world, backup)

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert "0002 cannot be reverted: shop has no migrate.down." in ended.failure.cause
    assert the_active(world).version == "v1"
    assert world.engine.data_of(APP).schema == ["0001"]
    assert_whole(world, "not restored")


def test_the_schema_is_told_as_it_was_recorded(world: World) -> None:
    async def story() -> migrations.Schema | None:
        await rolled_back(world, compatible=True)
        return await migrations.schema_of(world.context, the_active(world))

    schema = virtual_time.run(story())
    assert schema is not None
    assert [one.revision for one in schema.applied] == ["0001", "0002"]
    assert schema.pending == ()


@pytest.mark.parametrize("release", [False, True], ids=["data alone", "with its release"])
def test_a_release_without_a_status_command_is_not_migrated_on_a_newer_schema(tmp_path: Path, release: bool) -> None:
    """Its migrate command fails on migrations that it does not have, as a status command does."""
    config = app().model_dump(exclude_defaults=True) | {"migrate": {"command": "up", "down": "down {revision}"}}
    world = World(tmp_path, App.model_validate(config))

    async def story() -> Deployment:
        return await restored(world, await rolled_back(world, compatible=True), release=release)

    ended = virtual_time.run(story())
    assert ended.state is State.LIVE, ended.failure
    assert the_active(world).version == "v1"
    assert world.engine.data_of(APP).schema == ["0001", "0002"]
    assert_whole(world, "restored after a rollback")


@pytest.mark.parametrize("silent", [False, True], ids=["its migrations have names", "they have none"])
@pytest.mark.parametrize("backup", ["before", "now"])
@pytest.mark.parametrize("release", [False, True], ids=["data alone", "with its release"])
def test_a_release_can_run_on_what_its_own_migrate_command_leaves_after_a_restore(
    tmp_path: Path, silent: bool, backup: str, release: bool
) -> None:
    """It reports nothing where nothing is pending. That it was taken for a newer migration kept the app from coming
    back at the next start of the orchestrator."""
    world = World(tmp_path, app(down=False, names=False))

    async def story() -> Deployment:
        world.engine.silent = silent
        await live(world, "0001")
        await live(world, "0002")
        made = {"before": the_active(world).backup, "now": await backed_up(world)}
        ended = await restored(world, made[backup], release=release)
        assert ended.state is State.LIVE, ended.failure
        await world.restart()
        return ended

    virtual_time.run(story())
    back = release and backup == "before"
    assert the_active(world).version == ("v1" if back else "v2")
    assert world.engine.data_of(APP).schema == (["0001"] if back else ["0001", "0002"])
    assert migrations.needed_by(world.context, the_active(world)).is_empty
    assert_whole(world, "restarted")


def test_after_its_own_migrate_command_a_release_lacks_nothing(tmp_path: Path) -> None:
    """It reports the migrations of the release before alone: that of the last one had reported nothing."""
    world = World(tmp_path, app(down=False, names=False))

    async def story() -> Deployment:
        await live(world, "0001")
        await live(world, "0002")
        await live(world)
        return await restored(world, min(world.engine.backups[APP]))

    assert virtual_time.run(story()).state is State.LIVE
    assert migrations.needed_by(world.context, the_active(world)).is_empty
    assert_whole(world, "restored")


def test_a_backup_that_the_app_made_under_another_name_keeps_its_schema(world: World) -> None:
    """Whoever renames an app moves its backups: their deployment is on record, with migration runs of the old name."""

    async def story() -> Deployment:
        world.engine.incompatible.add("0001")
        await live(world, "0001")
        backup = await backed_up(world)
        manifest, data = world.engine.backups[APP][backup]
        old = replace(world.journal.deployment(manifest.deployment), id="of-the-old-name", app="till", known_run=0)
        world.journal.add(replace(old, container="till-blue"))
        world.engine.backups[APP][backup] = (replace(manifest, app="till", deployment=old.id), data)
        return await restored(world, backup, release=True)

    ended = virtual_time.run(story())
    assert ended.state is State.LIVE, ended.failure
    assert [run.direction for run in world.journal.migrations(APP)] == [Direction.UP, Direction.RESTORED]
    assert world.engine.data_of(APP).schema == ["0001"]
    assert_whole(world, "restored under another name")


def test_the_live_release_is_deployed_again_after_it_was_rolled_back_to(world: World) -> None:
    """As when its configuration was changed, or its image is gone: `changeover deploy --ref … --force`."""

    async def story() -> list[Deployment]:
        await rolled_back(world, compatible=True)
        again = await world.deploy("r1", force=True)
        assert_whole(world, "deployed again")
        return [again, await world.roll_back(), await world.roll_back(), await world.deploy("r1", force=True)]

    ended = virtual_time.run(story())
    assert [one.state for one in ended] == [State.LIVE] * 4, ended[0].failure
    assert [one.version for one in ended] == ["v1", "v2", "v1", "v1"]
    assert world.engine.data_of(APP).schema == ["0001", "0002"]
    assert_whole(world, "deployed once more")


async def two_releases_ago(world: World, *, compatible: bool, force: bool = False) -> Deployment:
    """Neither the active release nor the standby is deployed again: it is one of before the newer schema."""
    await live(world, "0001")
    if not compatible:
        world.engine.incompatible.add("0002")
    await live(world, "0002")
    await live(world)
    return await world.deploy("r1", force=force)


@pytest.mark.parametrize("tool_fails", [True, False], ids=["as Alembic", "as Django"])
def test_a_release_that_cannot_run_on_the_newer_schema_is_not_deployed_again(world: World, tool_fails: bool) -> None:
    """`migrate` of Django does nothing on migrations that it does not have: the release went live without a word."""
    world.engine.ignores_unknown_revisions = not tool_fails

    ended = virtual_time.run(two_releases_ago(world, compatible=False))

    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert ended.failure.step is StepName.FETCH
    assert ended.failure.cause.startswith("v1 cannot run on the data: 0002 came after it")
    assert "changeover deploy shop --ref r1 --force" in ended.failure.tip
    assert_whole(world, "not deployed")


def test_a_person_can_deploy_it_nevertheless(world: World) -> None:
    ended = virtual_time.run(two_releases_ago(world, compatible=False, force=True))

    assert ended.failure is not None
    assert ended.failure.step is not StepName.FETCH
    assert "Add the migration files that this release does not have." in ended.failure.tip
    assert_whole(world, "the tool refused it")


def test_an_older_release_that_can_run_on_the_newer_schema_is_deployed(world: World) -> None:
    world.engine.ignores_unknown_revisions = True

    ended = virtual_time.run(two_releases_ago(world, compatible=True))

    assert ended.state is State.LIVE, ended.failure
    assert world.engine.data_of(APP).schema == ["0001", "0002"]
    assert_whole(world, "an older release")


def test_without_a_status_command_an_older_release_is_not_refused(tmp_path: Path) -> None:
    """It is not known that anything was migrated after it."""
    world = World(tmp_path, app(down=False, names=False))

    async def story() -> Deployment:
        world.engine.silent = True
        await live(world, "0001")
        await live(world)
        await live(world)
        return await world.deploy("r1")

    ended = virtual_time.run(story())
    assert ended.state is State.LIVE, ended.failure


@pytest.mark.parametrize("fails", ["up", "verify"])
def test_a_deployment_that_fails_takes_back_its_own_migrations_alone(world: World, fails: str) -> None:
    """The release before it was rolled back to, on the schema of the release that is the standby now."""

    async def story() -> Deployment:
        await rolled_back(world, compatible=True)
        world.publish("0003", "0004")
        world.engine.half_way |= {"0004"} if fails == "up" else set()
        world.engine.broken |= {"v3"}
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert world.engine.data_of(APP).schema == ["0001", "0002"]
    assert_whole(world, "taken back")


def test_the_migration_of_a_restore_that_was_killed_in_it_has_ended(world: World) -> None:
    async def story() -> None:
        backup = await rolled_back(world, compatible=False)
        world.power.cut_at("sidecar down 0001", after=True)
        with suppress(Killed):
            await restored(world, backup)
        await world.restart()

    virtual_time.run(story())
    newest = [run for run in world.journal.migrations(APP) if run.direction is Direction.DOWN][-1]
    assert (newest.outcome, newest.note) == (Outcome.FAILED, "interrupted")
    assert world.engine.data_of(APP).schema == ["0001"]
    assert_whole(world, "killed while it reverted")
