"""Is everything as it must be? Each finding says what was looked at, whether it is well, and what to do if not."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sized
from dataclasses import dataclass

from orchestrator.backups import jobs
from orchestrator.engine.containers import LABEL_APP
from orchestrator.engine.reading import DiskUsage
from orchestrator.errors import ChangeoverError
from orchestrator.journal import OWN
from orchestrator.orchestrator import Orchestrator
from orchestrator.site import Site
from orchestrator.steps.prepare import MIB


@dataclass(frozen=True)
class Finding:
    what: str
    well: bool
    says: str
    remedy: str = ""


async def examine(orchestrator: Orchestrator) -> list[Finding]:
    engine, usage = await _engine(orchestrator)
    findings = [engine, await _proxy(orchestrator), _disk(orchestrator), _config(orchestrator), _journal(orchestrator)]
    findings += await _leftovers(orchestrator)
    findings += await asyncio.gather(*(_app(orchestrator, site, usage) for site in orchestrator.sites()))
    return findings


async def _app(orchestrator: Orchestrator, site: Site, usage: DiskUsage | None) -> Finding:
    """Does the active release run, did it come back after the last start, and what takes how much room?"""
    what = f"app {site.name}"
    slots = orchestrator.journal.slots(site.name)
    if not slots.active:
        return Finding(what, False, "never deployed", f"changeover deploy {site.name}")
    active = orchestrator.journal.deployment(slots.active)
    problem = orchestrator.recovery_problems.get(site.name)
    if problem and (active.live_at is None or active.live_at < orchestrator.started_at):
        return Finding(what, False, f"did not come back: {problem}", "Mend that, then restart the orchestrator.")
    says = f"{active.release.version if active.release else '?'} on {active.colour}"
    try:
        status = await site.engine.status(active.container)
        takes = await _room(site, usage)
    except ChangeoverError as error:
        return Finding(what, False, f"{says}; {error.cause}", error.remedy)
    if status is None or not status.running:
        remedy = f"changeover logs {site.name}, then changeover deploy {site.name}"
        return Finding(what, False, f"{says} does not run", remedy)
    return Finding(what, True, f"{says}; {takes}")


async def _room(site: Site, usage: DiskUsage | None) -> str:
    parts = []
    if usage:
        images = [size for tag, size in usage.by_image.items() if tag.startswith(f"{site.image_name}:")]
        parts.append(f"{_count(images, 'image')} {_size(sum(images))}")
        parts.append(f"containers {_size(usage.by_app.get(site.name, 0))}")
        if site.app.run.data:
            parts.append(f"data {_size(usage.by_volume.get(site.volume, 0))}")
    if site.has_data:
        backups = await jobs.entries(site)
        damaged = sum(1 for one in backups if one.problem)
        says = f"{_count(backups, 'backup')} {_size(sum(one.size for one in backups))}"
        parts.append(f"{says}, {damaged} of them damaged" if damaged else says)
    return ", ".join(parts)


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}" if len(things) == 1 else f"{len(things)} {name}s"


def _size(size: int) -> str:
    return f"{size / MIB:.1f} MB"


async def _leftovers(orchestrator: Orchestrator) -> list[Finding]:
    """Containers of apps that are not configured any more. Their data is nobody's to remove but yours."""
    try:
        containers = await orchestrator.engine.containers()
    except ChangeoverError:
        # Said already, by the finding on the engine.
        return []
    configured = {site.name for site in orchestrator.sites()}
    names: dict[str, list[str]] = {}
    for container in containers:
        app = container.labels.get(LABEL_APP, "")
        if app not in configured:
            names.setdefault(app, []).append(container.name)
    says = "is not configured any more, and its containers are still there"
    return [
        Finding(f"app {app}", False, says, f"Configure it again, or: docker rm --force {' '.join(sorted(found))}")
        for app, found in names.items()
    ]


async def _engine(orchestrator: Orchestrator) -> tuple[Finding, DiskUsage | None]:
    what = "Docker Engine"
    try:
        usage = await orchestrator.engine.disk_usage()
        version = await orchestrator.engine.version()
        outlive = await orchestrator.engine.keeps_containers_running()
    except ChangeoverError as error:
        return Finding(what, False, error.cause, error.remedy), None
    totals = {"images": usage.images, "containers": usage.containers, "volumes": usage.volumes}
    takes = ", ".join(f"{name} {_size(size)}" for name, size in (totals | {"build cache": usage.build_cache}).items())
    restart = "" if outlive else "; without live-restore a restart of Docker stops every container for a moment"
    return Finding(what, True, f"{version}; {takes}{restart}"), usage


async def _proxy(orchestrator: Orchestrator) -> Finding:
    try:
        return Finding("proxy", True, f"HAProxy {await orchestrator.proxy.version()}")
    except ChangeoverError as error:
        return Finding("proxy", False, error.cause, error.remedy)


def _disk(orchestrator: Orchestrator) -> Finding:
    free = shutil.disk_usage(orchestrator.settings.state).free // MIB
    wanted = orchestrator.config.disk.min_free_mb
    return Finding(
        "disk", free >= wanted, f"{free} MB free, {wanted} MB wanted", "docker builder prune frees the cache"
    )


def _journal(orchestrator: Orchestrator) -> Finding:
    """One that can be read, for otherwise nobody would have got here."""
    runs = orchestrator.journal.migrations(OWN)
    since = f", migrated {runs[-1].started_at:%Y-%m-%d %H:%M} UTC, {runs[-1].note}" if runs else ""
    return Finding("journal", True, f"{orchestrator.journal.backend}, schema {orchestrator.journal.schema}{since}")


def _config(orchestrator: Orchestrator) -> Finding:
    if problem := orchestrator.config_problem:
        return Finding("configuration", False, problem, "Correct the file; it is read again when it is saved.")
    return Finding("configuration", True, "; ".join(["is valid", *map(str, orchestrator.config_notices)]))
