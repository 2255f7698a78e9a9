"""The checks of `changeover doctor`. A finding has the checked part, whether it is in order, and a remedy."""

from __future__ import annotations

import asyncio
import shutil

import structlog

from orchestrator.app_data import backups
from orchestrator.apps.context import AppContext
from orchestrator.apps.serving_check import ask_once
from orchestrator.config.preflight import preflight
from orchestrator.config.watcher import ConfigFile
from orchestrator.doctor.labelled import labelled
from orchestrator.doctor.notices import notices
from orchestrator.doctor.problems import in_recovery
from orchestrator.doctor.refused_file import refused_file
from orchestrator.doctor.report import Finding
from orchestrator.doctor.standby import crashed_standby, stopped_standby
from orchestrator.domain.counted import counted
from orchestrator.domain.sentences import sentences
from orchestrator.engine.disk_usage import DiskUsage, ImageSize
from orchestrator.errors import ChangeoverError
from orchestrator.journal.store import OWN
from orchestrator.server import Orchestrator

MIB = 1024 * 1024


log = structlog.get_logger()


async def examine(orchestrator: Orchestrator) -> list[Finding]:
    engine, usage = await _engine(orchestrator)
    findings = [engine, await _proxy(orchestrator), _disk(orchestrator), *await _configuration(orchestrator)]
    findings.append(await _journal(orchestrator))
    findings += await notices(orchestrator)
    findings += _tasks(orchestrator)
    findings += [found for context in orchestrator.apps.all() for found in missing_limits(context)]
    findings += [found for context in orchestrator.apps.all() for found in _unsettled(context)]
    findings += [found for context in orchestrator.apps.all() for found in await stopped_standby(context)]
    for context in orchestrator.apps.all():
        findings += await crashed_standby(orchestrator, context)
    findings += await labelled(orchestrator)
    contexts = orchestrator.apps.all()
    found = await asyncio.gather(*(_app_or_defect(orchestrator, context, usage) for context in contexts))
    # The configuration may have changed meanwhile: what was taken out of it has no route any more.
    still = {context.name for context in orchestrator.apps.all()}
    return findings + [one for one, context in zip(found, contexts, strict=True) if context.name in still]


async def _app_or_defect(orchestrator: Orchestrator, context: AppContext, usage: DiskUsage | None) -> Finding:
    """A defect in Changeover at one app is a finding of that app, and hides no other one."""
    try:
        return await _app(orchestrator, context, usage)
    except Exception as error:
        log.exception("app not examined", app=context.name)
        says = f"a defect in Changeover: unexpected {type(error).__name__}"
        return Finding(f"app {context.name}", False, says, "Report it, with the traceback of the orchestrator's log.")


async def _app(orchestrator: Orchestrator, context: AppContext, usage: DiskUsage | None) -> Finding:
    """Whether the app's recovery succeeded and its active release answers, and how much disk space the app uses."""
    what = f"app {context.name}"
    slots = orchestrator.journal.slots(context.name)
    if not slots.active:
        return await _without_release(orchestrator, context)
    active = orchestrator.journal.deployment(slots.active)
    problem = orchestrator.recovery.problem(context.name)
    if orchestrator.recovery.is_at_first_try(context.name):
        undoes = not orchestrator.recovery.is_finished(context.name)
        says = in_recovery(orchestrator, context.name)
        return Finding(what, undoes, says, "Wait until that has ended.", warns=undoes)
    if problem and orchestrator.recovery.concerns(active):
        return Finding(what, False, f"recovery failed: {problem}", "Correct the cause; it is tried again.")
    says = f"{active.release.version if active.release else '?'} on {active.colour}"
    try:
        status = await context.engine.status(active.container)
        async with orchestrator.sidecars_of_readers.turn_of(context.name):
            takes = await _room(context, usage)
        paused = await context.proxy.paused()
    except ChangeoverError as error:
        return Finding(what, False, f"{says}; {error.cause}", error.remedy)
    if status is None:
        remedy = f"It is made again by itself; if it is not, deploy again: changeover deploy {context.name}"
        return Finding(what, False, f"{says}: its container does not exist", remedy)
    if not status.running:
        remedy = f"See its log, then deploy again: changeover logs {context.name}; changeover deploy {context.name}"
        return Finding(what, False, f"{says}: its container does not run", remedy)
    if context.name in paused:
        remedy = f"Resume them: changeover resume {context.name}"
        return Finding(what, False, f"{says}: its requests are paused", remedy)
    serving = await ask_once(context)
    if not serving.answers:
        return Finding(what, False, serving.says, f"See its log: changeover logs {context.name}")
    return Finding(what, True, f"{says}; {takes}")


async def _without_release(orchestrator: Orchestrator, context: AppContext) -> Finding:
    """No release is live: what is under way, why the last deployment failed, or that there was none."""
    what, says, deploy = f"app {context.name}", "no release is live", f"changeover deploy {context.name}"
    if doing := orchestrator.scheduler.doing(context.name):
        return Finding(what, False, f"{says}; {doing}", "Wait until it has ended: changeover status")
    newest = await context.journal.beside(lambda: context.journal.deployments(context.name, limit=1))
    if not newest or newest[0].failure is None:
        return Finding(what, False, says, f"Deploy one: {deploy}")
    (failed,), why = newest, newest[0].failure
    at = failed.step_in_words(why.step)
    says = f"{says}: {failed.kind_in_words} {failed.id} {failed.state.replace('_', ' ')} at {at}: {why.cause}"
    look, again = f"Its log and steps: changeover show {failed.id}", f"Then deploy again: {deploy}"
    return Finding(what, False, says, sentences(why.tip, look, again))


def _unsettled(context: AppContext) -> list[Finding]:
    """What a failed change of the app's data left there."""
    left = context.journal.unsettled(context.name)
    if left is None:
        return []
    return [Finding(f"data of {context.name}", False, left.says_since, left.remedy)]


def missing_limits(context: AppContext) -> list[Finding]:
    """An app without a memory limit can take the memory of the whole host."""
    if context.config.run.memory:
        return []
    says = "no memory limit; it can use up the memory of this host"
    return [Finding(f"memory of {context.name}", True, says, f"Set run.memory of {context.name}.", warns=True)]


async def _room(context: AppContext, usage: DiskUsage | None) -> str:
    parts = []
    if usage:
        parts.append(
            _images([size for tag, size in usage.by_image.items() if tag.startswith(f"{context.image_name}:")])
        )
        parts.append(f"containers {_size(usage.by_app.get(context.name, 0))}")
        if context.config.run.data:
            parts.append(f"data {_size(usage.by_volume.get(context.volume, 0))}")
    if context.has_data:
        made = await backups.entries(context)
        damaged = sum(1 for one in made if one.problem)
        says = f"{counted(len(made), 'backup')} {_size(sum(one.size for one in made))}"
        parts.append(f"{says}, {damaged} of them damaged" if damaged else says)
    return ", ".join(parts)


def _images(sizes: list[ImageSize]) -> str:
    """What removing them would give back, and how large they are with the layers that other images have, too."""
    says = f"{counted(len(sizes), 'image')} {_size(sum(one.alone for one in sizes))}"
    largest = max((one.whole for one in sizes), default=0)
    shares = any(one.alone < one.whole for one in sizes)
    return f"{says} beside layers shared with other images (the largest has {_size(largest)})" if shares else says


def _size(size: int) -> str:
    return f"{size / MIB:.1f} MB"


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
    restart = "" if outlive else "; live-restore is off: a restart of Docker restarts every container"
    return Finding(what, True, f"{version}; {takes}{restart}"), usage


async def _proxy(orchestrator: Orchestrator) -> Finding:
    try:
        return Finding("proxy", True, f"HAProxy {await orchestrator.proxy.version()}")
    except ChangeoverError as error:
        return Finding("proxy", False, error.cause, error.remedy)


def _disk(orchestrator: Orchestrator) -> Finding:
    free = shutil.disk_usage(orchestrator.settings.state).free // MIB
    wanted = orchestrator.config_file.config.disk.min_free_mb
    return Finding(
        "disk", free >= wanted, f"{free} MB free, {wanted} MB required", "Remove the build cache: docker builder prune"
    )


def _tasks(orchestrator: Orchestrator) -> list[Finding]:
    """Background tasks that keep failing."""
    return [
        Finding(
            f"task {name}",
            False,
            f"failed {counted(problem.times, 'time')} in a row: {problem.cause}",
            "See the orchestrator's log: docker compose logs orchestrator",
        )
        for name, problem in orchestrator.supervisor.problems.items()
    ]


async def _journal(orchestrator: Orchestrator) -> Finding:
    """The journal's database and schema revision. The API needs the journal, so it answers if this runs."""
    runs = orchestrator.journal.migrations(OWN)
    since = f", migrated {runs[-1].started_at:%Y-%m-%d %H:%M} UTC, {runs[-1].note}" if runs else ""
    schema = await orchestrator.journal.beside(lambda: orchestrator.journal.schema)
    return Finding("journal", True, f"{orchestrator.journal.backend}, schema {schema}{since}")


async def _configuration(orchestrator: Orchestrator) -> list[Finding]:
    """Whether the file is in use, and what it names and cannot work. It is called valid only where nothing is wrong."""
    file = orchestrator.config_file
    problems = await preflight(file.config, file.path.parent)
    wrong = [
        Finding("configuration", False, problem, "Correct it; until then, what needs it fails.") for problem in problems
    ]
    return [*_file_in_use(file, valid=not wrong), *wrong]


def _file_in_use(file: ConfigFile, *, valid: bool) -> list[Finding]:
    if file.problem:
        first, *more = refused_file(file).splitlines()
        since = f" (since {file.problem_since:%Y-%m-%d %H:%M} UTC)" if file.problem_since else ""
        says = "\n".join([f"{first}{since}", *more])
        return [Finding("configuration", file.waits, says, file.remedy, warns=file.waits)]
    says = "; ".join([*(["valid"] if valid else []), *map(str, file.in_use.notices)])
    return [Finding("configuration", True, says)] if says else []
