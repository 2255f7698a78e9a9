"""Is everything as it must be? Each finding says what was looked at, whether it is well, and what to do if not."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from orchestrator.engine.containers import LABEL_APP
from orchestrator.errors import ChangeoverError
from orchestrator.journal import OWN
from orchestrator.orchestrator import Orchestrator
from orchestrator.steps.prepare import MIB


@dataclass(frozen=True)
class Finding:
    what: str
    well: bool
    says: str
    remedy: str = ""


async def examine(orchestrator: Orchestrator) -> list[Finding]:
    findings = [await _engine(orchestrator), await _proxy(orchestrator), _disk(orchestrator), _config(orchestrator)]
    findings.append(_journal(orchestrator))
    findings += await _leftovers(orchestrator)
    for site in orchestrator.sites():
        slots = orchestrator.journal.slots(site.name)
        if not slots.active:
            findings.append(Finding(f"app {site.name}", False, "never deployed", f"changeover deploy {site.name}"))
            continue
        active = orchestrator.journal.deployment(slots.active)
        try:
            status = await site.engine.status(active.container)
        except ChangeoverError as error:
            findings.append(Finding(f"app {site.name}", False, error.cause, error.remedy))
            continue
        running = status is not None and status.running
        says = f"{active.release.version if active.release else '?'} on {active.colour}"
        remedy = "" if running else f"changeover logs {site.name}, then changeover deploy {site.name}"
        findings.append(Finding(f"app {site.name}", running, says if running else f"{says} does not run", remedy))
    return findings


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


async def _engine(orchestrator: Orchestrator) -> Finding:
    try:
        usage = await orchestrator.engine.disk_usage()
        takes = ", ".join(f"{name.replace('_', ' ')} {size // MIB} MB" for name, size in usage.items())
        return Finding("Docker Engine", True, f"{await orchestrator.engine.version()}; {takes}")
    except ChangeoverError as error:
        return Finding("Docker Engine", False, error.cause, error.remedy)


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
    problem = orchestrator.config_problem
    return Finding("configuration", not problem, problem or "is valid", "Mend the file; it is read again by itself.")
