"""The findings of `changeover doctor` on what carries the label of the stack, whoever made it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from orchestrator.app_data import backups
from orchestrator.deploy import leftovers
from orchestrator.deploy.leftovers import Leftover
from orchestrator.doctor.removed_apps import remedy_for
from orchestrator.doctor.report import Finding
from orchestrator.domain.counted import counted
from orchestrator.engine.base import LABEL_APP, LABEL_DEPLOYMENT, LABEL_ROLE, ContainerStatus, Role
from orchestrator.errors import ChangeoverError
from orchestrator.server import Orchestrator


async def labelled(orchestrator: Orchestrator) -> list[Finding]:
    """What apps have left that are not configured, containers beyond those that are needed, and volumes of dumps.

    What is at work is not left, nor is what has ended while this looks: to remove it would end a backup or a restore.
    """
    engine = orchestrator.engine
    try:
        containers = [one for one in await engine.containers() if one.name not in engine.sidecars_at_work()]
        dumps = {one for one in await engine.volumes() if backups.is_dump_volume(one)}
        anonymous = await engine.unused_anonymous_volumes()
        with_history = await orchestrator.journal.beside(orchestrator.journal.apps_with_history)
        # Without any valid configuration nobody knows which apps are configured.
        known = orchestrator.config_file.is_known
        left = await leftovers.find(engine, orchestrator.apps.all(), with_history) if known else []
        there = await engine.containers()
        dumps &= set(await engine.volumes())
    except ChangeoverError:
        # The finding on the engine reports it.
        return []
    containers = [one for one in containers if one.name in {again.name for again in there}]
    left = [_still(one, {name for again in there for name in (again.name, again.called)}) for one in left]
    running = {one.name for one in containers if one.running and not one.paused}
    findings = [_left(one, running, _places(orchestrator, one.app)) for one in left if not one.is_nothing]
    for context in orchestrator.apps.all():
        mine = [one for one in containers if one.labels.get(LABEL_APP) == context.name]
        findings += _beyond(orchestrator, context.name, mine)
    if dumps and not any(orchestrator.scheduler.doing(context.name) for context in orchestrator.apps.all()):
        remedy = f"The next start removes them. By hand: docker volume rm {' '.join(sorted(dumps))}"
        findings.append(Finding("volumes", False, f"left by dumps: {', '.join(sorted(dumps))}", remedy))
    return findings + _anonymous(anonymous)


def _still(one: Leftover, there: Collection[str]) -> Leftover:
    return replace(one, containers=tuple(name for name in one.containers if name in there))


def _anonymous(volumes: list[str]) -> list[Finding]:
    """Versions before containers were removed with theirs left two of them at each deployment.

    They have no label, and other programs make such volumes, too: so a person decides.
    """
    if not volumes:
        return []
    many = "volumes of this host have no name and are" if len(volumes) > 1 else "volume of this host has no name and is"
    says = f"{len(volumes)} {many} used by no container"
    remedy = "Earlier versions of Changeover left some, other programs do, too. Remove all of them: docker volume prune"
    return [Finding("volumes without a name", True, says, remedy, warns=True)]


def _places(orchestrator: Orchestrator, app: str) -> tuple[str, ...]:
    """Where its backups may be: volumes or folders of the host."""
    return (orchestrator.settings.backups, *orchestrator.apps.backup_places.of(app))


def _left(one: Leftover, running: Collection[str], places: Collection[str]) -> Finding:
    counts = ((one.containers, "container"), (one.volumes, "volume"), (one.images, "image"))
    has = ", ".join(counted(len(names), kind) for names, kind in counts if names)
    if not one.app:
        remedy = f"Remove what is not needed: docker rm --force {' '.join(one.containers)}"
        return Finding("containers without an app", False, f"carry the label of this stack: {has}", remedy)
    active = sum(1 for name in one.containers if name in running)
    parts = [f"not configured, so that no request reaches it, but has {has}"]
    parts += [f"{active} of its containers {'runs' if active == 1 else 'run'} on"] if active else []
    parts += [f"its data is in {', '.join(one.volumes)}"] if one.volumes else []
    parts.append(f"its backups, if it has any, are in {' and '.join(places)}")
    return Finding(f"app {one.app}", False, "; ".join(parts), remedy_for(one.app))


def _beyond(orchestrator: Orchestrator, app: str, containers: list[ContainerStatus]) -> list[Finding]:
    """Containers of a configured app that are neither active, standby nor used by what is under way."""
    if orchestrator.scheduler.doing(app):
        return []
    slots = orchestrator.journal.slots(app)
    seen: set[str] = set()
    beyond = []
    for one in containers:
        deployment = one.labels.get(LABEL_DEPLOYMENT, "")
        needed = one.labels.get(LABEL_ROLE) == Role.APP and deployment in (slots.active, slots.standby)
        if not needed or deployment in seen:
            beyond.append(one.called)
        seen.add(deployment)
    if not beyond:
        return []
    many = counted(len(beyond), "container")
    says = f"{many} beyond the active one and the standby: {', '.join(sorted(beyond))}"
    by_hand = f"docker rm --force {' '.join(sorted(beyond))}"
    remedy = f"The next deployment of {app} removes what is not needed. By hand: {by_hand}"
    return [Finding(f"containers of {app}", False, says, remedy)]
