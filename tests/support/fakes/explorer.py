"""What can happen to an app, its host and its orchestrator, in any order: the choices of the random explorer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from orchestrator.app_data import backups
from orchestrator.deploy import pause_by_hand
from orchestrator.domain.deployment import Deployment, Kind
from orchestrator.errors import ChangeoverError, JournalError
from tests.support.fakes.absence import MayBeAway
from tests.support.fakes.living_world import LivingWorld, away
from tests.support.fakes.world import APP

Choice = Callable[[LivingWorld, random.Random], Awaitable[str]]
"""Does something, and says what."""

RELEASES = ("good",) * 4 + ("broken", "no image", "migration fails", "half-way", "compatible", "incompatible")
MOMENTS_S = (0.0, 0.0, 0.01, 0.05, 0.3, 1.0, 5.0, 40.0)


# What people ask for


async def deploy(world: LivingWorld, dice: random.Random) -> str:
    kind = dice.choice(RELEASES)
    engine, number = world.engine, len(world.schema) + 1
    first, second = f"{number:04}", f"{number + 1:04}"
    engine.failing -= {"build", "up"}
    match kind:
        case "compatible":
            world.publish(first)
        case "incompatible":
            engine.incompatible.add(first)
            world.publish(first)
        case "migration fails":
            engine.failing.add("up")
            engine.incompatible |= {first} if dice.random() < 0.5 else set()
            world.publish(first)
        case "half-way":
            engine.half_way.add(second)
            engine.incompatible |= {first} if dice.random() < 0.5 else set()
            world.publish(first, second)
        case _:
            world.publish()
    if kind == "broken":
        engine.broken.add(world.newest_version)
    if kind == "no image":
        engine.failing.add("build")
    engine.build_s = dice.choice((0.0, 0.2))
    world.ask(world.scheduler.request(APP, ref="", by="somebody", force=dice.random() < 0.3))
    return f"deploy {world.newest_version} ({kind})"


async def deploy_an_earlier_one(world: LivingWorld, dice: random.Random) -> str:
    version = f"v{dice.randint(1, int(world.newest_version[1:]))}"
    world.ask(world.scheduler.request(APP, ref=version, by="somebody", force=dice.random() < 0.5))
    return f"deploy {version} again"


async def roll_back(world: LivingWorld, _: random.Random) -> str:
    world.ask(world.scheduler.roll_back(APP, by="somebody"))
    return "roll back"


async def restore(world: LivingWorld, dice: random.Random) -> str:
    kept = sorted(world.engine.backups.get(APP, {}))
    if not kept:
        return ""
    kind, release = dice.choice(((Kind.RESTORE, False), (Kind.RESTORE, True), (Kind.ROLLBACK, False)))
    backup = dice.choice(kept)
    world.ask(world.scheduler.restore(APP, backup, by="somebody", kind=kind, release=release))
    return f"{kind} with backup {backup}{' and its release' if release else ''}"


async def back_up(world: LivingWorld, _: random.Random) -> str:
    async def by_hand() -> None:
        async with world.context.data_turn:
            if active := world.context.active:
                await backups.create(world.context, active, "by hand")

    world.ask(by_hand())
    return "back up"


async def cancel(world: LivingWorld, _: random.Random) -> str:
    busy = world.scheduler.busy_with(APP)
    if busy is None:
        return ""
    world.ask(world.scheduler.cancel(busy.id))
    return f"cancel {busy.id}"


async def configure(world: LivingWorld, dice: random.Random) -> str:
    standby, down, tries = dice.choice(("warm", "paused", "stopped")), dice.random() < 0.7, dice.choice((1, 3))
    names = {"compatible": False} if world.engine.silent else {"status": "status"}
    migrate = {"command": "up", **names, **({"down": "down {revision}"} if down else {})}
    update = {"rollback": {"max_rollback_attempts": tries, "auto_rollback_on_failure": dice.random() < 0.8}}
    world.configure(standby=standby, migrate=migrate, update=update, drain={"timeout": dice.choice((0.5, 5))})
    return f"configure standby: {standby}, down: {down}, tries: {tries}"


async def take_the_app_out(world: LivingWorld, dice: random.Random) -> str:
    """Of the configuration file, for a while."""

    async def for_a_while() -> None:
        await world.take_out()
        await asyncio.sleep(seconds)
        if removes:
            with suppress(ChangeoverError):
                await world.remove_what_it_left()
        await world.put_in()

    seconds, removes = dice.choice((0.0, 1.0, 30.0)), dice.random() < 0.3
    world.ask(for_a_while())
    return f"take the app out for {seconds:g} s{', and remove what it left' if removes else ''}"


async def engine_and_proxy_are_slow(world: LivingWorld, dice: random.Random) -> str:
    """Each answer takes another time: what is asked for at once ends in another order."""
    longest_s = dice.choice((0.0, 0.01, 0.5))
    world.engine.answers_after_s = world.proxy.answers_after_s = lambda: dice.uniform(0, longest_s)
    return f"engine and proxy answer within {longest_s:g} s"


async def work_takes_time(world: LivingWorld, dice: random.Random) -> str:
    """Requests are in hand when something begins; a sidecar can be interrupted while it works."""
    request_s, sidecar_s = dice.choice((0.0, 0.2, 2.0, 20.0)), dice.choice((0.0, 0.05, 1.0))
    world.request_s = lambda: dice.uniform(0, request_s)
    world.engine.sidecar_s = lambda: dice.uniform(0, sidecar_s)
    world.engine.interrupted_did = lambda: dice.choice((0.0, 0.5, 1.0))
    return f"requests take {request_s:g} s, sidecars {sidecar_s:g} s"


async def commands_fail(world: LivingWorld, dice: random.Random) -> str:
    """Also in an undo."""
    which = dice.choice(("down", "status"))
    world.engine.failing ^= {which}
    return f"migrate.{which} {'fails' if which in world.engine.failing else 'works again'}"


async def sidecars_are_refused(world: LivingWorld, dice: random.Random) -> str:
    """As when the folder of the backups cannot be mounted."""
    which = dice.choice(("orchestrator.backup_sidecar", "up"))
    world.engine.refused ^= {which}
    return f"{which} {'cannot be started' if which in world.engine.refused else 'can be started again'}"


async def an_image_is_removed(world: LivingWorld, dice: random.Random) -> str:
    """One that no way back needs: without its image, a migration can be reverted by a backup only."""
    migrated = {run.deployment for run in world.records.runs.values()}
    needed = {one.release.image for one in world.records.deployments.values() if one.release and one.id in migrated}
    tags = sorted(tag for tag in world.engine.tags if f"sha256:{tag}" not in needed)
    if not tags:
        return ""
    tag = dice.choice(tags)
    world.engine.tags.discard(tag)
    return f"docker rmi {tag}"


async def hold_requests(world: LivingWorld, dice: random.Random) -> str:
    """A person asks as by the API, which refuses what a deployment has paused."""

    async def for_a_while() -> None:
        for _ in range(times):
            with suppress(ChangeoverError):
                await pause_by_hand.pause_requests(world.context, world.scheduler.lane_of(APP), 30)
            await asyncio.sleep(seconds)
            while APP in world.proxy.waiting:
                with suppress(ChangeoverError):
                    await pause_by_hand.resume_requests(world.context, world.scheduler.lane_of(APP))
                await asyncio.sleep(1)

    times = dice.choice((1, 3))
    seconds = dice.choice((0.1, 3.0, 20.0))
    world.ask(for_a_while())
    return f"pause requests for {seconds:g} s"


async def execute(world: LivingWorld, dice: random.Random) -> str:
    active = _active(world)
    if active is None or world.scheduler.doing(APP):
        return ""

    async def command() -> None:
        with suppress(ChangeoverError), world.commands.taking_part(), world.commands.running_in(active.container):
            await asyncio.sleep(seconds)
        world.failover.due(APP)  # as the API does it

    seconds = dice.choice((0.1, 3.0, 60.0))
    world.ask(command())
    return f"a command in {active.container} for {seconds:g} s"


# What happens to containers


async def active_crashes(world: LivingWorld, _: random.Random) -> str:
    return _crash(world, _active(world))


async def standby_crashes(world: LivingWorld, _: random.Random) -> str:
    return _crash(world, _standby(world))


async def candidate_ends(world: LivingWorld, dice: random.Random) -> str:
    """It crashes, or a person removes it."""
    kept = {one.container for one in (_active(world), _standby(world)) if one}
    candidates = sorted(world.engine.app_containers() - kept)
    if not candidates:
        return ""
    if dice.random() < 0.5 and world.engine.running[candidates[0]].running:
        world.engine.crash(candidates[0])
        return f"the candidate {candidates[0]} crashes"
    world.engine.removed_by_a_person(candidates[0])
    return f"docker rm --force {candidates[0]}, the candidate"


async def a_person_stops_or_starts(world: LivingWorld, dice: random.Random) -> str:
    one = dice.choice((_active, _standby))(world)
    if one is None or one.container not in world.engine.running:
        return ""
    container = world.engine.running[one.container]
    if container.running and not container.paused:
        world.engine.stopped_by_a_person(one.container)
        return f"docker stop {one.container}"
    world.engine.started_by_a_person(one.container)
    return f"docker start {one.container}"


async def a_person_removes(world: LivingWorld, dice: random.Random) -> str:
    one = dice.choice((_active, _standby, _standby))(world)
    if one is None or one.container not in world.engine.running:
        return ""
    world.engine.removed_by_a_person(one.container)
    return f"docker rm --force {one.container}"


async def locks_are_held(world: LivingWorld, dice: random.Random) -> str:
    """The app is always in a transaction, so that a standby of it cannot be paused; or it is not any more."""
    world.engine.held = [] if world.engine.held else ["a write lock on /data/shop.db"]
    return "locks held" if world.engine.held else "no locks held"


# What happens to the host


async def something_is_away(world: LivingWorld, dice: random.Random) -> str:
    part: MayBeAway = dice.choice((world.engine, world.engine, world.proxy, world.journal))
    part.away, seconds = away(part), dice.choice((0.05, 0.5, 3.0, 30.0, 150.0))
    asyncio.get_running_loop().call_later(seconds, world.comes_back, type(part))
    return f"{type(part).__name__} is away for {seconds:g} s"


async def proxy_is_restarted(world: LivingWorld, dice: random.Random) -> str:
    world.proxy.away, seconds = away(world.proxy), dice.choice((0.05, 1.0, 10.0))
    asyncio.get_running_loop().call_later(seconds, world.proxy_starts_again)
    return f"restart of the proxy in {seconds:g} s"


async def disk_is_full(world: LivingWorld, dice: random.Random) -> str:
    """That of the journal, which can still be read."""

    def has_room_again() -> None:
        world.journal.refuses = None

    world.journal.refuses = JournalError("The disk of the journal is full.", "Free it.")
    seconds = dice.choice((0.05, 3.0, 30.0))
    asyncio.get_running_loop().call_later(seconds, has_room_again)
    return f"the journal's disk is full for {seconds:g} s"


async def orchestrator_is_killed(world: LivingWorld, dice: random.Random) -> str:
    number = dice.randint(0, 25)
    world.power.cut_in(number, after=dice.random() < 0.5)
    return f"kill after {number} more operations"


async def orchestrator_is_killed_while_it_stops(world: LivingWorld, dice: random.Random) -> str:
    """As Docker does it after `stop_grace_period`."""
    if world.power.dead:
        return ""
    stopping, seconds = asyncio.create_task(world.stop()), dice.choice((0.0, 0.01, 0.3, 3.0))
    await asyncio.wait([stopping], timeout=seconds)
    await world.restart()
    return f"SIGKILL {seconds:g} s after SIGTERM"


async def orchestrator_is_restarted(world: LivingWorld, dice: random.Random) -> str:
    if world.power.dead:
        return ""
    await world.stop()
    await asyncio.sleep(dice.choice((0.0, 1.0)))
    await world.restart()
    return "restart of the orchestrator"


async def host_restarts(world: LivingWorld, _: random.Random) -> str:
    world.power.dead = True
    world.engine.host_restarts()
    await asyncio.sleep(1)
    await world.restart()
    return "restart of the host"


async def clock_jumps(_world: LivingWorld, dice: random.Random) -> str:
    return dice.choice(sorted(CLOCK_JUMPS))


CLOCK_JUMPS = {"the clock jumps forty days ahead": 40, "the clock jumps forty days back": -40}
"""What the story says -> by how many days."""
OUTSIDE: tuple[Choice, ...] = (
    active_crashes, standby_crashes, a_person_stops_or_starts, something_is_away, proxy_is_restarted, clock_jumps,
)  # fmt: skip
"""What needs no orchestrator."""
CHOICES: tuple[Choice, ...] = (
    deploy, deploy, deploy, deploy, deploy_an_earlier_one, roll_back, roll_back, restore, back_up, cancel, cancel,
    configure, take_the_app_out, hold_requests, execute, active_crashes, active_crashes, standby_crashes,
    candidate_ends, candidate_ends, a_person_stops_or_starts, a_person_removes, an_image_is_removed, locks_are_held,
    commands_fail, sidecars_are_refused, work_takes_time, work_takes_time, something_is_away, something_is_away,
    proxy_is_restarted, disk_is_full, engine_and_proxy_are_slow, orchestrator_is_killed, orchestrator_is_killed,
    orchestrator_is_restarted, orchestrator_is_killed_while_it_stops, host_restarts, clock_jumps,
)  # fmt: skip


def _crash(world: LivingWorld, one: Deployment | None) -> str:
    container = world.engine.running.get(one.container) if one else None
    if one is None or container is None or not container.running:
        return ""
    world.engine.crash(one.container)
    return f"{one.container} crashes"


def _active(world: LivingWorld) -> Deployment | None:
    return world.recorded(world.records.slots[APP].active) if APP in world.records.slots else None


def _standby(world: LivingWorld) -> Deployment | None:
    return world.recorded(world.records.slots[APP].standby) if APP in world.records.slots else None
