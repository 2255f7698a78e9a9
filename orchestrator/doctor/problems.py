"""What is wrong now, of the installation and of each app: `status` and the panel show it in red.

Nothing here contacts the engine, the proxy or an app: the values are kept current by others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.apps.look import Health
from orchestrator.config.schema import PANEL
from orchestrator.deploy.crashed_standby import Crash, no_return
from orchestrator.doctor.refused_file import refused_file
from orchestrator.domain.counted import counted
from orchestrator.domain.deployment import Deployment
from orchestrator.server import Orchestrator


@dataclass(frozen=True)
class Trouble:
    """What is wrong, since when if that is known, and what to do. `warns`: it goes on by itself, or is a
    disadvantage and no alarm."""

    says: str
    remedy: str
    since: datetime | None = None
    warns: bool = False


def of_installation(orchestrator: Orchestrator) -> list[Trouble]:
    """A configuration file that is not in use, and background tasks that keep failing."""
    found = []
    file = orchestrator.config_file
    if file.problem:
        found.append(Trouble(refused_file(file), file.remedy, file.problem_since, warns=file.waits))
    if file.not_kept:
        says = f"The configuration in use is not kept for the next start: {file.not_kept}."
        found.append(Trouble(says, "Free disk space, or let the file be written. It is tried again by itself."))
    for says, since in orchestrator.notices.problems():
        found.append(Trouble(says, "See changeover doctor, and try it: changeover notify test", since, warns=True))
    for name, problem in orchestrator.supervisor.problems.items():
        says = f"The background task '{name}' failed {counted(problem.times, 'time')} in a row: {problem.cause}"
        found.append(
            Trouble(says, "It is started again by itself. See the orchestrator's log: docker compose logs orchestrator")
        )
    return found


def not_known(part: str) -> Trouble:
    """A part of an app's state could not be found out, because of a defect in Changeover."""
    return Trouble(
        f"A defect in Changeover: {part} cannot be shown.",
        "Report it, with the traceback of the orchestrator's log: docker compose logs orchestrator",
    )


def file_not_used(orchestrator: Orchestrator, *, with_why: bool) -> str:
    """A sentence if the saved configuration file is not in use: who has just edited it takes it for what is deployed.

    `with_why`: with the file's first problem, which may be about another app.
    """
    file = orchestrator.config_file
    if not file.problem:
        return ""
    says = f"The saved {file.path.name} is not in use"
    return f"{says}: {file.problem.splitlines()[0].rstrip('.')}." if with_why else f"{says}."


def of_app(orchestrator: Orchestrator, app: str, health: Health, crash: Crash | None = None) -> list[Trouble]:
    """What keeps requests from the app or its active release: a pause, crashes, a wrong route, or a failed recovery;
    and that its standby crashed (`crash`)."""
    found = _of_traffic(orchestrator, app, crash)
    running = orchestrator.scheduler.busy_with(app)
    if health is Health.PAUSED and running is None:
        found.append(Trouble("New requests wait: they are paused.", f"Resume them: changeover resume {app}"))
    if health is Health.UNREACHED:
        says = f"Its requests do not reach it: {orchestrator.health.why(app)}."
        remedy = "Restart the proxy, which reads its routes again: docker compose restart proxy"
        found.append(Trouble(says, remedy))
    if health in (Health.UNHEALTHY, Health.STOPPED) and (why := orchestrator.health.why(app)):
        remedy = _see_log_or_return(orchestrator, app, crash)
        fault = Trouble(f"Its active release does not serve: {why}.", remedy)
        found.append(_while_data_changes(orchestrator, running) or fault)
    if settings := orchestrator.config_file.config.app(app):
        section = "" if app == PANEL else f"apps.{app}."
        for why in orchestrator.deployable.why_not(app, settings):
            says = f"It cannot be deployed: {section}{why.rstrip('.')}."
            found.append(Trouble(says, "Correct it; what is live is left alone."))
    if crash:
        found.append(
            Trouble(f"A rollback goes to a release that crashed. {crash.says}", no_return(app), crash.since, True)
        )
    found += _stopped_standby(orchestrator, app)
    if orchestrator.recovery.is_at_first_try(app):
        remedy = f"Wait until that has ended: changeover history {app}"
        undoes = not orchestrator.recovery.is_finished(app)
        found.append(Trouble(in_recovery(orchestrator, app), remedy, warns=undoes))
    elif problem := orchestrator.recovery.problem(app):
        found.append(Trouble(f"It is not recovered: {problem}", "Correct the cause; it is tried again by itself."))
    return found


def in_recovery(orchestrator: Orchestrator, app: str) -> str:
    """What is done at the first try to recover the app, in which nothing has failed yet."""
    if orchestrator.recovery.is_finished(app):
        return "Its active release is being started, and is not ready yet."
    return "What a stop of the orchestrator has interrupted is being finished or undone."


def _while_data_changes(orchestrator: Orchestrator, running: Deployment | None) -> Trouble | None:
    """What runs has stopped the app, so that nobody writes while the data changes, and tells itself how it ends."""
    known = orchestrator.journal.deployment(running.id) if running else None
    if known is None or known.paused_at is None or known.resumed_at is not None:
        return None
    says = f"It is stopped, and new requests wait, while {known.kind_in_words} {known.id} changes the data."
    return Trouble(says, f"Wait until that has ended: changeover show {known.id}", known.paused_at, warns=True)


def _stopped_standby(orchestrator: Orchestrator, app: str) -> list[Trouble]:
    """That a standby could not be paused, which makes a rollback slower."""
    standby = orchestrator.journal.slots(app).standby
    context = next((one for one in orchestrator.apps.all() if one.name == app), None)
    if not standby or context is None:
        return []
    container = orchestrator.journal.deployment(standby).container
    why = context.not_paused.why_of(container)
    says = f"The standby is stopped instead of paused; a rollback takes the start of its container. Why: {why}"
    return [Trouble(says, f"Correct that, then start it: docker start {container}", warns=True)] if why else []


def _of_traffic(orchestrator: Orchestrator, app: str, crash: Crash | None) -> list[Trouble]:
    """That the standby answers in the active release's place, and that the active container ends again and again."""
    found = []
    record = orchestrator.failover.record(app)
    if record.since is not None:
        requests = counted(record.requests - record.at_first, "request")
        says = f"The standby has the traffic, {requests} so far, because the active container ended: {record.cause}."
        remedy = f"The active release gets the traffic back when it is ready. See its log: changeover logs {app}"
        found.append(Trouble(says, remedy, record.since))
    # By the journal: the app may be taken out of the configuration while its state is asked for.
    slots = orchestrator.journal.slots(app)
    active = orchestrator.journal.deployment(slots.active) if slots.active else None
    if active is not None and orchestrator.crashes.is_loop(active.container):
        says = f"The active container ended {orchestrator.crashes.count(active.container)} times in ten minutes."
        found.append(Trouble(says, _see_log_or_return(orchestrator, app, crash)))
    return found


def _see_log_or_return(orchestrator: Orchestrator, app: str, crash: Crash | None) -> str:
    """`crash`: that of the standby, to which nobody should return then."""
    see = f"See its log: changeover logs {app}"
    if crash or not orchestrator.journal.slots(app).standby:
        return see
    return f"{see}. Return to the release before: changeover rollback {app}"
