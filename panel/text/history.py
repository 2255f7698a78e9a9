"""Past deployments: a table of them, and everything about one."""

from __future__ import annotations

from datetime import datetime

from rich.table import Table

from border.revision import short
from panel.client.model import App, Deployment, DeploymentKind, Deployments, DeploymentState, Step, StepState
from panel.text.age import ago
from panel.text.markup import inline
from panel.text.moments import IN_UTC, Times
from panel.text.outcome import ending, named, release_of, step_in_words, why_unbegun
from panel.text.why import add_why, why

NONE = "–"
STEP_MARKS = {StepState.DONE: "[green]✓[/]", StepState.FAILED: "[red]✗[/]", StepState.SKIPPED: "–"}
COLUMNS = ("WHEN", "ID", "KIND", "STATE", "VERSION", "TOOK", "BY", "CUT")


def history(app: str, page: Deployments, now: datetime, limit: int = 20) -> Table | str:
    """A row a deployment of this page. The one that has the traffic, and no other, is `live`."""
    if not page.deployments:
        return f"{inline(app)} has no deployments. Deploy it with: changeover deploy {inline(app)}"
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in COLUMNS:
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    add_why(table)
    if page.before is not None:
        table.caption = f"Older ones: changeover history {inline(app)} --limit {limit} --before {page.before}"
    for one in page.deployments:
        table.add_row(
            ago(one.requested_at, now), inline(one.id), inline(one.kind), inline(state_now(one)),
            inline(one.version) or NONE, _seconds(one.seconds), inline(one.requested_by),
            one.cut.in_words if one.cut else NONE, why(inline(_why(one))),
        )  # fmt: skip
    return table


def state_now(one: Deployment) -> str:
    """The state of a deployment for people: that it went live once does not make it live now."""
    if one.state != DeploymentState.LIVE or one.slot is None:
        return one.state.replace("_", " ")
    if one.slot == "active":
        return "live"
    if one.slot in ("standby", "removed"):
        return one.slot
    return "replaced" if one.kind == DeploymentKind.DEPLOY else "done"


def record(one: Deployment, app: App | None, now: datetime, times: Times = IN_UTC) -> str:
    """Markup for everything about one deployment: what was asked, its steps, and how it ended, with its log."""
    lines = [f"[bold]{inline(named(one))} of {release_of(one)}[/]: {inline(state_now(one))}"]
    at = f"{times.dated(one.requested_at)}{' UTC' if times == IN_UTC else ''}"
    asked = f"Requested {ago(one.requested_at, now)} ({at}) by {one.requested_by}"
    lines.append(f"  {inline(asked)}" + (f", ref {inline(one.ref)}" if one.ref else ""))
    if one.revision:
        what = "Commit" if short(one.revision) != one.revision else "Source revision"
        container = f", container {inline(one.container)}" if one.container else ""
        lines.append(f"  {what} {inline(short(one.revision))}{container}")
    # Why a step failed is told below, unless the deployment itself did not fail at it.
    told = one.failure.step if one.failure else ""
    lines += [_step(step, with_note=step.name != told) for step in one.steps]
    return "\n".join([*lines, ending(one, app)])


def _step(step: Step, *, with_note: bool) -> str:
    mark = STEP_MARKS.get(StepState(step.state), "…") if step.state in set(StepState) else "?"
    note = f"  {inline(step.note)}" if step.note and with_note else ""
    return f"  {mark} {inline(step.name):<8} {_seconds(step.seconds):>9}{note}"


def _why(one: Deployment) -> str:
    return f"{step_in_words(one, one.failure.step)}: {one.failure.cause}" if one.failure else why_unbegun(one)


def _seconds(seconds: float | None) -> str:
    return f"{seconds:.2f} s" if seconds is not None else NONE
