"""How the command shows things in a terminal: values to text, nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from panel.model import App, Backup, Change, Deployment, Event, Finding, Migrations, Revision, Slot, Update

MARKS = {"running": "…", "done": "✓", "failed": "✗", "skipped": "–"}
SECTIONS = (("✨ Features", ("feat",)), ("🐛 Bug fixes", ("fix",)), ("⚡ Performance", ("perf",)))


def apps_table(apps: list[App]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("APP", "ACTIVE", "STANDBY", "HEALTH", "UPDATE", "DEPLOYMENT", "URL"):
        table.add_column(heading, no_wrap=True)
    for app in apps:
        update = app.update.version if app.update else "–"
        deployment = f"{app.deployment.id} {app.deployment.step or app.deployment.state}" if app.deployment else "–"
        table.add_row(app.name, slot(app.active), slot(app.standby), app.health, update, deployment, app.url)
    return table


def slot(held: Slot | None) -> str:
    return f"[{held.colour}]●[/] {escape(held.version)}" if held else "–"


def history_table(deployments: list[Deployment]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("WHEN", "ID", "KIND", "STATE", "VERSION", "TOOK", "BY"):
        table.add_column(heading, no_wrap=True)
    table.add_column("WHY", no_wrap=True, overflow="ellipsis")
    for one in deployments:
        took = f"{one.seconds:.2f} s" if one.seconds is not None else "–"
        why = f"{one.failure.step}: {one.failure.cause}" if one.failure else ""
        table.add_row(
            ago(one.requested_at), one.id, one.kind, one.state, one.version or "–", took, one.requested_by, escape(why)
        )
    return table


def update(app: str, found: Update) -> str:
    heading = f"[bold]{app}: {escape(found.version)} is available[/] ({ago(found.released_at)}, {escape(found.origin)})"
    return "\n".join([heading, *changelog(found.changes), "", f"Install it with: changeover deploy {app} --wait"])


def changelog(changes: tuple[Change, ...]) -> list[str]:
    """Breaking changes first, then by kind; what keeps no convention last."""
    breaking = [change for change in changes if change.breaking]
    lines = section("⚠ Breaking changes", breaking)
    rest = [change for change in changes if not change.breaking]
    named: set[str] = set()
    for title, kinds in SECTIONS:
        lines += section(title, [change for change in rest if change.kind in kinds])
        named |= set(kinds)
    return lines + section("📦 Other changes", [change for change in rest if change.kind not in named])


def section(title: str, changes: list[Change]) -> list[str]:
    if not changes:
        return []
    scoped = (f"{change.scope}: {change.subject}" if change.scope else change.subject for change in changes)
    return ["", f"{title}:", *(f"  • {escape(text)}" for text in scoped)]


def outcome(one: Deployment) -> str:
    """The last words of `deploy` and `rollback`."""
    if one.state == "live":
        done = {"rollback": "Rolled back", "restore": "Restored"}.get(one.kind, "Live")
        took = f" in {one.seconds:.2f} s" if one.seconds is not None else ""
        back = f"; {escape(one.previous_version)} stands by" if one.previous_version and one.kind != "restore" else ""
        lines = [f"[green]✓ {done}: {one.app} {escape(one.version)} on {one.colour}{took}{back}.[/]"]
        if one.held is not None:
            lines.append(f"  Requests waited {one.held:.2f} s at most; none failed for it.")
        if one.backup and one.kind != "deploy":
            lines.append(f"  The data as it was before is backup {one.backup}.")
        return "\n".join(lines)
    if one.failure is None:
        ends = {"queued": f"Queued as {one.id}. Follow it with: changeover events --deployment {one.id}"}
        return ends.get(one.state, f"Deployment {one.id} is {one.state}.")
    return "\n".join(failure(one))


def failure(one: Deployment) -> list[str]:
    """The step, the cause, the log, what was undone, and a tip."""
    if one.failure is None:
        return []
    why = one.failure
    lines = [f"[red]✗ {one.app} {escape(one.version)} {one.state} at {why.step}: {escape(why.cause)}[/]"]
    if why.exit_code is not None:
        lines.append(f"  exit code {why.exit_code}{', killed for memory' if why.oom else ''}")
    lines += [f"  [dim]│[/] {escape(line)}" for line in why.log]
    lines += [f"  • {escape(undone)}" for undone in why.undone]
    if one.previous_version:
        lines.append(f"  [green]✓ {escape(one.previous_version)} serves as before.[/]")
    if why.tip:
        lines.append(f"  💡 {escape(why.tip)}")
    return lines


def event_line(event: Event) -> str:
    fields = event.fields
    match event.kind:
        case "step":
            mark = MARKS.get(str(fields.get("state")), " ")
            return "" if fields.get("state") == "running" else f"{mark} {fields.get('step')}"
        case "line":
            return f"  [dim]{escape(str(fields.get('line')))}[/]"
        case "queued" | "started":
            return f"{event.kind} {event.deployment}"
        case _:
            return ""


def dated_event(event: Event) -> str:
    about = " ".join(filter(None, (event.app, event.deployment)))
    fields = " ".join(f"{name}={value}" for name, value in event.fields.items() if value not in (None, ""))
    return f"[dim]{event.id:>6} {event.at.astimezone():%H:%M:%S}[/] {event.kind:<14} {about} {escape(fields)}"


def backups_table(backups: list[Backup]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("ID", "MADE", "VERSION", "SCHEMA", "FILES", "DATA", "PACKED", "WHY"):
        table.add_column(heading, no_wrap=True)
    for one in backups:
        if one.problem:
            table.add_row(
                *(one.id, ago(one.created_at), "–", "–", "–", "–"),
                *(size(one.archive_size), f"[red]✗ {escape(one.problem)}[/]"),
            )
            continue
        table.add_row(
            one.id,
            ago(one.created_at),
            one.version or "–",
            escape(one.data_schema) or "–",
            str(one.files),
            size(one.data_size),
            size(one.archive_size),
            escape(one.reason),
        )
    return table


def loss(one: Backup) -> str:
    """What a restore would cost, for the question before it."""
    lines = [f"What {one.app} wrote since {one.id}, {ago(one.created_at)}, will be replaced, and kept as a backup."]
    if one.releases_since:
        lines.append(f"Released since then: {', '.join(one.releases_since)}.")
    return "\n".join(lines)


def migrations(found: Migrations) -> str:
    lines = ["[bold]Applied[/]", *([_revision(one) for one in found.applied] or ["  none on record"])]
    lines.append("[bold]Pending[/]")
    if found.pending is None:
        lines.append(f"  {escape(found.problem) or f'{found.app} has no command that tells (migrate.status)'}")
    else:
        lines += [_revision(one) for one in found.pending] or ["  none"]
    lines.append("[bold]Rollback[/]")
    lines.append(f"  {escape(found.rollback.says)}")
    if found.rollback.remedy:
        lines.append(f"  💡 {escape(found.rollback.remedy)}")
    if found.runs:
        lines.append("[bold]Runs[/], the newest first")
    for run in found.runs:
        took = f"{run.seconds:.2f} s" if run.seconds is not None else "–"
        ends = f"{run.from_schema or '?'} → {run.to_schema or '?'}"
        lines.append(
            f"  {ago(run.started_at):<14} {run.direction:<8} {escape(ends):<16} {run.outcome:<7} {took:>8}  "
            f"{run.deployment} {escape(run.note)}"
        )
    return "\n".join(lines)


def _revision(one: Revision) -> str:
    back = "" if one.compatible else "  [yellow]the release before cannot run on it[/]"
    return f"  {escape(one.revision):<8} {escape(one.says)}{back}"


def size(size_in_bytes: int) -> str:
    for limit, unit in ((2**30, "GB"), (2**20, "MB"), (2**10, "kB")):
        if size_in_bytes >= limit:
            return f"{size_in_bytes / limit:.1f} {unit}"
    return f"{size_in_bytes} B"


def story(event: Event) -> str:
    """One event in a person's words; empty for those that tell a person nothing new."""
    fields = {name: escape(str(value)) for name, value in event.fields.items() if value not in (None, "")}
    match event.kind, fields.get("state"):
        case "step", "done":
            says = f"[green3]✓[/] {fields.get('step')}"
        case "step", "failed":
            says = f"[red]✗ {fields.get('step')}[/] {fields.get('note', '')}"
        case ("queued", _) | ("started", _):
            says = f"{event.kind} by {fields.get('by', 'nobody')}"
        case "live", _:
            says = f"[bold green3]live[/] on {fields.get('colour')} in {float(fields.get('seconds', 0)):.2f} s"
        case ("failed", _) | ("cancelled", _) | ("superseded", _):
            says = f"[bold red]{event.kind}[/] {fields.get('cause', '')}"
        case "restored", _:
            says = (
                f"[bold green3]restored[/] backup {fields.get('backup')}; what it replaced is {fields.get('replaced')}"
            )
        case "update", _:
            says = f"🆕 update available: {fields.get('version')}"
        case ("check_failed", _) | ("start_failed", _) | ("recovery_failed", _) | ("retire_failed", _):
            says = f"[red]{event.kind.replace('_', ' ')}[/] {fields.get('cause', '')} {fields.get('remedy', '')}"
        case "config_refused", _:
            says = f"[red]configuration refused[/] {fields.get('problems', '')}"
        case "config_loaded", _:
            says = "configuration loaded"
        case _:
            return ""
    about = f"[bold]{event.app}[/] [grey50]{event.deployment}[/] " if event.app else ""
    return f"[grey50]{event.at.astimezone():%H:%M:%S}[/] {about}{says}"


def findings(found: list[Finding]) -> str:
    lines = []
    for finding in found:
        mark = "[green]✓[/]" if finding.well else "[red]✗[/]"
        lines.append(f"{mark} {finding.what}: {escape(finding.says)}")
        if not finding.well and finding.remedy:
            lines.append(f"  💡 {escape(finding.remedy)}")
    return "\n".join(lines)


def ago(moment: datetime) -> str:
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now" if seconds < 10 else f"{int(seconds)} seconds ago"
