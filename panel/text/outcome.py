"""How a deployment, rollback or restore ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from border.revision import option
from panel.client.model import App, Deployment, DeploymentKind, DeploymentState
from panel.text.drain import cut_in_words
from panel.text.markup import inline, output
from panel.text.repetition import without_repetition

DONE = {
    DeploymentKind.DEPLOY: "Live",
    DeploymentKind.ROLLBACK: "Rolled back",
    DeploymentKind.RESTORE: "Restored",
}
OF_KIND = {DeploymentKind.ROLLBACK.value: "Rollback to ", DeploymentKind.RESTORE.value: "Restore of "}
"""What failed, before app and version."""
MIGRATE = "migrate"
LONGEST_HEAD, LONGEST_TAIL = 400, 200
"""Characters of a line of output that a failure shows, from its beginning and its end. `show --json` has more."""
ACTIVE = "active"
"""The slot of the release that has the traffic."""
INTERRUPTED_BY = {
    "person": "somebody asked for that, see 'changeover audit'",
    "stop": "the orchestrator was stopped meanwhile",
    "kill": "the orchestrator ended meanwhile",
}
HEALTHY, PAUSED = "healthy", "paused"


def outcome(
    ended: Deployment, app: App | None = None, printed: Collection[str] = frozenset(), undos: Sequence[str] = ()
) -> str:
    """Markup that says how a deployment ended that was asked for a moment ago, and `app` as it is now.

    Whatever its end is, it says if the saved configuration file is not what was deployed. `undos`: lines of markup in
    place of the sentences of what was undone.
    """
    return "\n".join(
        [ending(ended, app, printed, undos), *while_another_follows(ended, app), *while_file_not_used(ended, app)]
    )


def ending(
    ended: Deployment, app: App | None = None, printed: Collection[str] = frozenset(), undos: Sequence[str] = ()
) -> str:
    """Markup that says how a deployment ended. `app` is the app as it is now, for a deployment that is not live.

    What is `printed` already is left out: a log of such lines, and what was undone.
    """
    if ended.state == DeploymentState.LIVE:
        return "\n".join([*_success(ended, app), *while_paused(ended, app)])
    if ended.state == DeploymentState.UNCHANGED:
        says = f"{release_of(ended)} is live already, with this configuration. Nothing was deployed."
        again = f"changeover deploy {inline(ended.app)} {inline(option(ended.revision))} --force"
        return f"[green]✓ {says}[/]\n  Deploy it again with: {again}"
    if ended.failure:
        return "\n".join(failure(ended, app, printed, undos))
    if ended.state == DeploymentState.QUEUED:
        one = inline(ended.id)
        return (
            f"Deployment {one} of {inline(ended.app)} is queued. Follow it with: changeover events --deployment {one}"
        )
    because = f", because {why}" if (why := why_unbegun(ended)) else ""
    state = inline(ended.state.replace("_", " "))
    lines = [f"Deployment {inline(ended.id)} of {release_of(ended)}: {state}{because}."]
    return "\n".join([*lines, *([f"  {what_is_active(app)}"] if app else [])])


def while_paused(ended: Deployment, app: App | None) -> list[str]:
    """A line of markup if the app's requests are paused, so that the release that is live gets none."""
    if app is None or app.health != PAUSED:
        return []
    return [f"[red]✗ But new requests wait: they are paused. Resume them: changeover resume {inline(ended.app)}[/]"]


def while_another_follows(ended: Deployment, app: App | None) -> list[str]:
    """A line of markup if a deployment was waiting when traffic or data went back: it begins now, and takes the traffic
    from what was gone back to."""
    next_one = app.deployment if app else None
    if ended.kind == DeploymentKind.DEPLOY or not next_one or next_one.id == ended.id:
        return []
    says = f"Deployment {next_one.id} was asked for before, and takes the traffic when it is live."
    return [f"[yellow]! {inline(says)} Cancel it: changeover cancel {inline(next_one.id)}[/]"]


def while_file_not_used(ended: Deployment, app: App | None) -> list[str]:
    """A line of markup if the configuration file is refused as it is saved, so that the deployment did not take it."""
    if app is None or ended.kind != DeploymentKind.DEPLOY:
        return []
    return [f"[yellow]! {inline(says)}[/]" for says in file_not_used(app)]


def file_not_used(app: App) -> list[str]:
    """A sentence if the saved configuration file is not in use, and what is deployed instead."""
    if not app.file_not_used:
        return []
    return [f"{app.file_not_used} Deployments take the configuration before it. See: changeover validate"]


def failure(
    ended: Deployment, app: App | None = None, printed: Collection[str] = frozenset(), undos: Sequence[str] = ()
) -> list[str]:
    """Lines of markup: the step, the cause, the log, what was compensated, what is left in the data, and a tip.

    And what the active release answered when it was asked; for a failure of an earlier orchestrator, which did not ask,
    `app` as it is now.
    """
    if ended.failure is None:
        return []
    why = ended.failure
    what = f"{OF_KIND.get(ended.kind, '')}{release_of(ended)}"
    lines = [f"[red]✗ {what} {inline(ended.state)} at {inline(step_in_words(ended, why.step))}: {inline(why.cause)}[/]"]
    if why.exit_code is not None:
        lines.append(f"  Exit code {why.exit_code}{', killed because it exceeded its memory limit' if why.oom else ''}")
    if not all(line.rstrip() in printed for line in why.log):
        lines += [f"  [dim]│[/] {output(_short(line))}" for line in without_repetition(why.log)]
    lines += undos or [f"  • {inline(undone)}" for undone in why.undone if undone.rstrip() not in printed]
    lines += _paused(ended)
    if cut := cut_in_words(ended):
        lines.append(f"  [yellow]{cut}[/]")
    if why.left:
        lines += [f"  [red]✗ In the data: {inline(why.left)}[/]", f"  💡 {inline(why.left_remedy)}"]
    # What is left in the data may say it already.
    if why.serving and why.serving.says not in why.left:
        mark = "[green]✓" if why.serving.answers else "[red]✗"
        lines.append(f"  {mark} {inline(why.serving.says)}[/]")
    elif app and not why.serving:
        lines.append(f"  {what_is_active(app)}")
    if why.tip:
        lines.append(f"  💡 {inline(why.tip)}")
    return lines


def _short(line: str) -> str:
    """The beginning and the end of a long line of output: the reason often stands in the line after it."""
    left_out = len(line) - LONGEST_HEAD - LONGEST_TAIL
    if left_out <= 0:
        return line
    return f"{line[:LONGEST_HEAD]} [{left_out} characters left out] {line[-LONGEST_TAIL:]}"


def step_in_words(ended: Deployment, step: str) -> str:
    """The step's name, and what it does where that is something else than in a deployment: a backup takes the
    place of the data in the step that runs migrations otherwise."""
    restores = ended.kind == DeploymentKind.RESTORE or (ended.kind == DeploymentKind.ROLLBACK and bool(ended.ref))
    return f"replacing the data (step {step})" if restores and step == MIGRATE else step


def what_is_active(app: App) -> str:
    """Markup: which release has the traffic, its health as the orchestrator last found it, and unsettled data."""
    if app.active is None:
        return f"[red]✗ {inline(app.name)} has no active release.[/]"
    active = f"{inline(app.active.version)} is active on {inline(app.active.colour)}"
    if app.unsettled:
        return f"[red]✗ {active}; {inline(app.unsettled.says)}[/] 💡 {inline(app.unsettled.remedy)}"
    if app.health == HEALTHY:
        return f"[green]✓ {active} and healthy.[/]"
    return f"[red]✗ {active}; its health is '{inline(app.health)}'. See: changeover doctor[/]"


def why_unbegun(ended: Deployment) -> str:
    """Why a deployment has ended that neither failed nor is live, without a full stop; empty if that is not known."""
    if ended.state == DeploymentState.SUPERSEDED:
        return "a newer one was requested before it began, and only the newest of those that wait begins"
    if ended.state == DeploymentState.CANCELLED:
        return INTERRUPTED_BY.get(ended.interrupted_by or "", "")
    return ""


def named(one: Deployment) -> str:
    """What it is, with its id: a deployment, a rollback or a restore. No markup."""
    return f"{'Deployment' if one.kind == DeploymentKind.DEPLOY else one.kind.capitalize()} {one.id}"


def release_of(ended: Deployment) -> str:
    """App and version; the app alone if the version is not known."""
    return " ".join(filter(None, (inline(ended.app), inline(ended.version))))


def _paused(ended: Deployment) -> list[str]:
    return [f"  New requests were paused for {ended.paused:.2f} s."] if ended.paused is not None else []


def _success(ended: Deployment, app: App | None) -> list[str]:
    done = DONE.get(DeploymentKind(ended.kind), "Live") if ended.kind in set(DeploymentKind) else "Live"
    took = f" after {ended.seconds:.2f} s" if ended.seconds is not None else ""
    lines = [f"[green]✓ {done}: {release_of(ended)} on {inline(ended.colour)}{took}.[/]"]
    if ended.previous_version and ended.kind != DeploymentKind.RESTORE:
        lines.append(f"  {_before(ended, app)}")
    lines += _paused(ended)
    if cut := cut_in_words(ended):
        lines.append(f"  [yellow]{cut}[/]")
    if ended.backup and ended.kind != DeploymentKind.DEPLOY:
        lines.append(f"  Backup of the data as it was before: {inline(ended.backup)}")
    return lines


def _before(ended: Deployment, app: App | None) -> str:
    """What had the traffic, and where a rollback leads if that is another release: it stays the standby where what had
    the traffic crashed, or is the same release, as with --force."""
    standby = app.standby if app else None
    leads = f" A rollback goes to {inline(standby.version)}." if standby else ""
    if ended.previous_version == ended.version:
        return f"It replaces another container of the same release, {inline(ended.version)}.{leads}"
    says = f"Previous release: {inline(ended.previous_version)}"
    is_other = standby and ended.slot == ACTIVE and standby.version != ended.previous_version
    return f"{says}.{leads}" if is_other else says
