"""How a deployment, rollback or restore ended."""

from __future__ import annotations

from rich.markup import escape

from panel.client.model import App, Deployment, DeploymentKind, DeploymentState

DONE = {
    DeploymentKind.DEPLOY: "Live",
    DeploymentKind.ROLLBACK: "Rolled back",
    DeploymentKind.RESTORE: "Restored",
}
HEALTHY, PAUSED = "healthy", "paused"


def outcome(ended: Deployment, app: App | None = None) -> str:
    """Markup that says how a deployment ended. `app` is the app as it is now, for a deployment that is not live."""
    if ended.state == DeploymentState.LIVE:
        return "\n".join([*_success(ended), *while_paused(ended, app)])
    if ended.failure:
        return "\n".join(failure(ended, app))
    if ended.state == DeploymentState.QUEUED:
        return f"Deployment {ended.id} is queued. Follow it with: changeover events --deployment {ended.id}"
    lines = [f"Deployment {ended.id} of {_release(ended)}: {ended.state.replace('_', ' ')}."]
    return "\n".join([*lines, *([f"  {what_is_active(app)}"] if app else [])])


def while_paused(ended: Deployment, app: App | None) -> list[str]:
    """A line of markup if the app's requests are paused, so that the release that is live gets none."""
    if app is None or app.health != PAUSED:
        return []
    return [f"[red]✗ But new requests wait: they are paused. Resume them: changeover resume {escape(ended.app)}[/]"]


def failure(ended: Deployment, app: App | None = None) -> list[str]:
    """Lines of markup: the step, the cause, the log, what was compensated, what is left in the data, and a tip.

    And what the active release answered when it was asked; for a failure of an earlier orchestrator, which did not ask,
    `app` as it is now.
    """
    if ended.failure is None:
        return []
    why = ended.failure
    lines = [f"[red]✗ {_release(ended)} {ended.state} at {why.step}: {escape(why.cause)}[/]"]
    if why.exit_code is not None:
        lines.append(f"  Exit code {why.exit_code}{', killed because it exceeded its memory limit' if why.oom else ''}")
    lines += [f"  [dim]│[/] {escape(line)}" for line in why.log]
    lines += [f"  • {escape(undone)}" for undone in why.undone]
    if why.left:
        lines += [f"  [red]✗ In the data: {escape(why.left)}[/]", f"  💡 {escape(why.left_remedy)}"]
    if why.serving:
        mark = "[green]✓" if why.serving.answers else "[red]✗"
        lines.append(f"  {mark} {escape(why.serving.says)}[/]")
    elif app:
        lines.append(f"  {what_is_active(app)}")
    if why.tip:
        lines.append(f"  💡 {escape(why.tip)}")
    return lines


def what_is_active(app: App) -> str:
    """Markup: which release has the traffic, its health as the orchestrator last found it, and unsettled data."""
    if app.active is None:
        return f"[red]✗ {app.name} has no active release.[/]"
    active = f"{escape(app.active.version)} is active on {app.active.colour}"
    if app.unsettled:
        return f"[red]✗ {active}; {escape(app.unsettled.says)}[/] 💡 {escape(app.unsettled.remedy)}"
    if app.health == HEALTHY:
        return f"[green]✓ {active} and healthy.[/]"
    return f"[red]✗ {active}; its health is '{escape(app.health)}'. See: changeover doctor[/]"


def _release(ended: Deployment) -> str:
    """App and version; the app alone if the version is not known."""
    return " ".join(filter(None, (escape(ended.app), escape(ended.version))))


def _success(ended: Deployment) -> list[str]:
    done = DONE.get(DeploymentKind(ended.kind), "Live") if ended.kind in set(DeploymentKind) else "Live"
    took = f" after {ended.seconds:.2f} s" if ended.seconds is not None else ""
    lines = [f"[green]✓ {done}: {_release(ended)} on {ended.colour}{took}.[/]"]
    if ended.previous_version and ended.kind != DeploymentKind.RESTORE:
        lines.append(f"  Previous release: {escape(ended.previous_version)}")
    if ended.paused is not None:
        lines.append(f"  New requests were paused for {ended.paused:.2f} s.")
    if ended.backup and ended.kind != DeploymentKind.DEPLOY:
        lines.append(f"  Backup of the data as it was before: {ended.backup}")
    return lines
