"""Step 5: pending migrations, by the app's own command in a sidecar of the new image."""

from __future__ import annotations

import shlex
from collections import deque

from orchestrator.engine.containers import Role
from orchestrator.errors import StepFailed
from orchestrator.model import Deployment
from orchestrator.site import Site

LAST_LINES = 40
JOB = "migrate"


async def data(site: Site, deployment: Deployment) -> Deployment:
    settings = site.app.migrate
    if site.app.run.data:
        await site.engine.ensure_volume(site.volume)
    if settings is None:
        return deployment
    last: deque[str] = deque(maxlen=LAST_LINES)

    def line(text: str) -> None:
        last.append(text)
        site.say(deployment.id, text)

    spec = site.container(
        deployment, Role.SIDECAR, site.sidecar_name(deployment, JOB), tuple(shlex.split(settings.command))
    )
    status, late = await site.engine.run_to_end(spec, settings.timeout, line)
    if late:
        raise StepFailed(
            f"The migration '{settings.command}' took longer than {settings.timeout:g} s and was stopped.",
            f"Raise migrate.timeout of {site.name} if it needs more.",
            log=tuple(last),
            exit_code=status.exit_code,
        )
    if status.exit_code != 0:
        raise StepFailed(
            f"The migration '{settings.command}' {status.why_stopped}.",
            f"Raise run.memory of {site.name}." if status.oom else "",
            log=tuple(last),
            exit_code=status.exit_code,
            oom=status.oom,
        )
    return deployment


async def remove_sidecar(site: Site, deployment: Deployment) -> str:
    removed = await site.engine.remove(site.sidecar_name(deployment, JOB))
    return "Stopped the migration; its transaction was not committed" if removed else ""
