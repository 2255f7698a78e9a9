"""The findings of `changeover doctor` on what carries the label of the stack, whoever made it."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.app_data import backups
from orchestrator.deploy import leftovers
from orchestrator.deploy.leftovers import Leftover
from orchestrator.doctor.removed_apps import remedy_for
from orchestrator.doctor.report import Finding
from orchestrator.engine.base import LABEL_APP, LABEL_DEPLOYMENT, LABEL_ROLE, ContainerStatus, Role
from orchestrator.errors import ChangeoverError
from orchestrator.server import Orchestrator


async def labelled(orchestrator: Orchestrator) -> list[Finding]:
    """What apps have left that are not configured, containers beyond those that are needed, and volumes of dumps."""
    engine = orchestrator.engine
    try:
        containers = await engine.containers()
        volumes = await engine.volumes()
        anonymous = await engine.unused_anonymous_volumes()
        with_history = await orchestrator.journal.beside(orchestrator.journal.apps_with_history)
        # Without any valid configuration nobody knows which apps are configured.
        known = orchestrator.config_file.is_known
        left = await leftovers.find(engine, orchestrator.apps.all(), with_history) if known else []
    except ChangeoverError:
        # The finding on the engine reports it.
        return []
    running = {one.name for one in containers if one.running and not one.paused}
    findings = [_left(one, running, _places(orchestrator, one.app)) for one in left]
    for context in orchestrator.apps.all():
        mine = [one for one in containers if one.labels.get(LABEL_APP) == context.name]
        findings += _beyond(orchestrator, context.name, mine)
    dumps = [one for one in volumes if backups.is_dump_volume(one)]
    if dumps and not any(orchestrator.scheduler.doing(context.name) for context in orchestrator.apps.all()):
        remedy = f"The next start removes them. By hand: docker volume rm {' '.join(dumps)}"
        findings.append(Finding("volumes", False, f"left by dumps: {', '.join(dumps)}", remedy))
    return findings + _anonymous(anonymous)


def _anonymous(volumes: list[str]) -> list[Finding]:
    """Versions before containers were removed with theirs left two of them at each deployment.

    They have no label, and other programs make such volumes, too: so a person decides.
    """
    if not volumes:
        return []
    says = f"{len(volumes)} volumes of this host have no name and are used by no container"
    remedy = "Earlier versions of Changeover left some, other programs do, too. Remove all of them: docker volume prune"
    return [Finding("volumes without a name", True, says, remedy, warns=True)]


def _places(orchestrator: Orchestrator, app: str) -> tuple[str, ...]:
    """Where its backups may be: volumes or folders of the host."""
    return (orchestrator.settings.backups, *orchestrator.apps.backup_places.of(app))


def _left(one: Leftover, running: Collection[str], places: Collection[str]) -> Finding:
    counts = ((one.containers, "container"), (one.volumes, "volume"), (one.images, "image"))
    has = ", ".join(f"{len(names)} {kind}{'' if len(names) == 1 else 's'}" for names, kind in counts if names)
    if not one.app:
        remedy = f"Remove what is not needed: docker rm --force {' '.join(one.containers)}"
        return Finding("containers without an app", False, f"carry the label of this stack: {has}", remedy)
    active = sum(1 for name in one.containers if name in running)
    parts = [f"not configured, so that no request reaches it, but has {has}"]
    parts += [f"{active} of its containers run on"] if active else []
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
    says = f"{len(beyond)} containers beyond the active one and the standby: {', '.join(sorted(beyond))}"
    remedy = f"The next deployment of {app} removes them. By hand: docker rm --force {' '.join(sorted(beyond))}"
    return [Finding(f"containers of {app}", False, says, remedy)]
