"""An app's own migration commands, each run in a sidecar of one of its releases, and on record."""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.config.schema import Migrate
from orchestrator.engine.containers import Role
from orchestrator.errors import ChangeoverError, StepFailed
from orchestrator.model import Deployment, Direction, Migration, Outcome, Revision
from orchestrator.schema import Way, applied, names, reported
from orchestrator.site import Site

LAST_LINES = 40
STATUS, UP, DOWN = "status", "migrate", "down"
TARGET = "CHANGEOVER_MIGRATE_TO"


@dataclass(frozen=True)
class Command:
    """One command to run: for which deployment, in whose image, and what it is told."""

    job: str
    text: str
    by: Deployment
    image_of: Deployment
    env: dict[str, str]


async def pending(site: Site, deployment: Deployment) -> tuple[Revision, ...] | None:
    """The migrations that the data lacks for this release; None where the app has no command that tells."""
    settings = site.migrations
    if settings is None:
        return ()
    if settings.status is None:
        return None
    return await _run(site, Command(STATUS, settings.status, deployment, deployment, {}))


async def up(site: Site, release: Deployment, by: Deployment) -> None:
    """Bring the data to the schema of a release. Raises StepFailed; then nothing of it was committed."""
    settings = _settings(site)
    planned = release.pending or ()
    command = Command(UP, settings.command, by, release, {})
    done = await _on_record(site, Direction.UP, command, planned)
    if done:
        site.say(by.id, f"migrated: {names(done)}")


async def down(site: Site, revisions: tuple[Revision, ...], by: Deployment) -> None:
    """Take revisions back, in a sidecar of the release that brought them. Raises StepFailed; then nothing changed."""
    settings = _settings(site)
    target = revisions[0].previous
    if settings.down is None:
        raise StepFailed(
            f"{site.name} has no way down from {names(revisions)}.", f"Set migrate.down of {site.name} to a command."
        )
    if "{revision}" in settings.down and not target:
        raise StepFailed(
            f"{site.name} does not report from which revision {revisions[0].revision} leads.",
            'Let its migrate and status commands report "previous", too.',
        )
    newest = brought(site, revisions[-1]) or by
    command = Command(DOWN, settings.down.replace("{revision}", target), by, newest, {TARGET: target})
    await _on_record(site, Direction.DOWN, command, revisions)
    site.say(by.id, f"taken back: {names(revisions)}")


async def go(site: Site, way: Way, target: Deployment, by: Deployment) -> None:
    """Do what `way` says, so that `target` can run."""
    if way.down:
        await down(site, way.down, by)
    if way.up:
        await up(site, replace(target, pending=way.up), by)


async def stop_sidecars(site: Site, deployment: Deployment) -> None:
    """Their transactions end with them."""
    for job in (STATUS, UP, DOWN):
        await site.engine.remove(site.sidecar_name(deployment, job))


def brought(site: Site, revision: Revision) -> Deployment | None:
    """The deployment that applied a revision last, or was about to: its release knows it."""
    runs = [run for run in site.journal.migrations(site.name) if run.direction is Direction.UP]
    found = next((run for run in reversed(runs) if revision.revision in {one.revision for one in run.revisions}), None)
    return site.journal.deployment(found.deployment) if found else None


def applied_by(site: Site, deployment: Deployment) -> tuple[Revision, ...]:
    """The revisions that a deployment applied, whatever became of them since."""
    mine = [run for run in site.journal.migrations(site.name) if run.deployment == deployment.id]
    done = [run for run in mine if run.direction is Direction.UP and run.outcome is Outcome.DONE]
    return tuple(one for run in done for one in run.revisions)


async def settle(site: Site, by: Deployment) -> None:
    """Find out what came of this deployment's runs that did not end well: the app is asked what is pending now.

    One that cannot tell is taken at its word that a migration is one transaction, which a kill rolls back.
    """
    for run in site.journal.migrations(site.name):
        if run.deployment == by.id and run.outcome is not Outcome.DONE and run.direction is not Direction.RESTORED:
            happened = await _what_happened(site, run)
            outcome = Outcome.DONE if happened else Outcome.FAILED
            site.journal.migration_ended(run.id, outcome, happened or run.revisions, run.note or "interrupted")


async def _what_happened(site: Site, run: Migration) -> tuple[Revision, ...]:
    knows = brought(site, run.revisions[-1]) if run.revisions else None
    still = await pending(site, knows) if knows else None
    if still is None:
        return ()
    lacking = {one.revision for one in still}
    return tuple(one for one in run.revisions if (one.revision in lacking) is (run.direction is Direction.DOWN))


async def _on_record(
    site: Site, direction: Direction, command: Command, planned: tuple[Revision, ...]
) -> tuple[Revision, ...]:
    """Run it, with its beginning and its end in the journal. A run whose end nobody saw stays as running."""
    journal = site.journal
    run = journal.migration_started(site.name, command.by.id, direction, planned)
    try:
        said = await _run(site, command)
    except StepFailed as error:
        journal.migration_ended(run, Outcome.FAILED, planned, error.cause)
        raise
    done = planned if direction is Direction.DOWN else said or planned or _unnamed(site, command.image_of)
    journal.migration_ended(run, Outcome.DONE, done)
    return done


def _unnamed(site: Site, release: Deployment) -> tuple[Revision, ...]:
    """What an app that reports nothing has done, where its configuration says that this is never compatible."""
    if _settings(site).compatible or release.release is None:
        return ()
    has = applied(site.journal.migrations(site.name))
    return (Revision(release.release.version, has[-1].revision if has else "", compatible=False),)


async def _run(site: Site, command: Command) -> tuple[Revision, ...]:
    """The revisions that it reported. Raises StepFailed with the last lines when it fails or takes too long."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    reports: list[Revision] = []
    wrong: list[StepFailed] = []

    def line(text: str) -> None:
        last.append(text)
        site.say(command.by.id, text)
        try:
            report = reported(text)
        except StepFailed as error:
            wrong.append(error)
        else:
            if report:
                reports.append(_filled(report, _settings(site)))

    settings = _settings(site)
    spec = site.container(
        command.image_of,
        Role.SIDECAR,
        site.sidecar_name(command.by, command.job),
        tuple(shlex.split(command.text)),
    )
    spec = replace(spec, env=spec.env | command.env)
    status, late = await site.engine.sidecars.run_to_end(spec, settings.timeout, line)
    if late:
        raise StepFailed(
            f"The migration '{command.text}' took longer than {settings.timeout:g} s and was stopped.",
            f"Raise migrate.timeout of {site.name} if it needs more.",
            log=tuple(last),
            exit_code=status.exit_code,
        )
    if status.exit_code != 0:
        raise StepFailed(
            f"The migration '{command.text}' {status.why_stopped}.",
            _tip(site, last, oom=status.oom),
            log=tuple(last),
            exit_code=status.exit_code,
            oom=status.oom,
        )
    if wrong:
        raise wrong[0]
    return tuple(reports)


def _tip(site: Site, last: Iterable[str], *, oom: bool) -> str:
    if oom:
        return f"Raise run.memory of {site.name}."
    if any("Can't locate revision" in line for line in last):
        has = names(applied(site.journal.migrations(site.name)))
        return f"The data has {has}, and this release does not know all of it: keep the files of migrations that ran."
    return ""


def _filled(report: Revision, settings: Migrate) -> Revision:
    return report if settings.compatible else replace(report, compatible=False)


def _settings(site: Site) -> Migrate:
    if site.migrations is None:
        raise ChangeoverError(f"{site.name} has no migrations.", "migrate.command says how its data is migrated.")
    return site.migrations
