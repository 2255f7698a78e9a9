"""What is wrong now, of the installation and of each app: `status` and the panel show it in red.

Nothing here contacts the engine, the proxy or an app: the values are kept current by others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.apps.health import Health
from orchestrator.server import Orchestrator


@dataclass(frozen=True)
class Trouble:
    """What is wrong, since when if that is known, and what to do."""

    says: str
    remedy: str
    since: datetime | None = None


def of_installation(orchestrator: Orchestrator) -> list[Trouble]:
    """A configuration file that is not in use, and background tasks that keep failing."""
    found = []
    file = orchestrator.config_file
    if file.problem:
        in_use = "The last valid configuration is in use" if file.is_known else "No configuration is in use"
        says = f"{in_use}: {file.problem}"
        found.append(Trouble(says, "Correct the file. It is read again when it is saved.", file.problem_since))
    if file.not_kept:
        found.append(Trouble(f"The configuration in use is not kept for the next start: {file.not_kept}.", ""))
    for name, problem in orchestrator.supervisor.problems.items():
        says = f"The background task '{name}' failed {problem.times} times in a row: {problem.cause}"
        found.append(Trouble(says, "It is started again by itself. See the orchestrator's log."))
    return found


def of_app(orchestrator: Orchestrator, app: str, health: Health) -> list[Trouble]:
    """What keeps requests from the app: that they are paused, or that it is not recovered."""
    found = []
    running = orchestrator.scheduler.busy_with(app)
    if health is Health.PAUSED and running is None:
        found.append(Trouble("New requests wait: they are paused.", f"Resume them: changeover resume {app}"))
    if problem := orchestrator.recovery.problem(app):
        found.append(Trouble(f"It is not recovered: {problem}", "Correct the cause; it is tried again by itself."))
    return found
