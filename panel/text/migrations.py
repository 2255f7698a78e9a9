"""The text of the schema of an app's data."""

from __future__ import annotations

from datetime import datetime

from panel.client.migration_model import MigrationRun, Migrations, NotKnown, SchemaRevision
from panel.text.age import ago
from panel.text.markup import inline


def migrations(found: Migrations, now: datetime) -> str:
    lines = ["[bold]Applied[/]", *([_revision(one) for one in found.applied] or ["  none recorded"])]
    if found.not_known:
        lines.append(f"[bold]Applied[/], and not known to {inline(found.live) or 'the live release'}")
        lines += [_not_known(one) for one in found.not_known]
    lines += ["[bold]Pending[/]", *_pending(found)]
    lines += ["[bold]Rollback[/]", f"  {inline(found.rollback.says)}"]
    if found.rollback.remedy:
        lines.append(f"  💡 {inline(found.rollback.remedy)}")
    if found.runs:
        lines += ["[bold]Runs[/], the newest first", *(_run(run, now) for run in found.runs)]
    return "\n".join(lines)


def _pending(found: Migrations) -> list[str]:
    if found.pending is not None:
        return [_revision(one) for one in found.pending] or ["  none"]
    if found.problem:
        return [f"  {inline(found.problem)}"]
    return [
        f"  not known, nor what was applied before Changeover deployed {inline(found.app)}: migrate.status is not set",
        "  💡 Set it to the tool's own command: 'python manage.py showmigrations --plan' (Django),",
        "     'alembic history --indicate-current' (Alembic), or to one of yours; see docs/migrations.md",
    ]


def _revision(one: SchemaRevision) -> str:
    incompatible = "" if one.compatible else "  [yellow]the previous release cannot run on it[/]"
    return f"  {inline(one.revision):<8} {inline(one.says)}{incompatible}"


def _not_known(one: NotKnown) -> str:
    return f"{_revision(one)}  [dim]by {inline(one.by)}[/]" if one.by else _revision(one)


def _run(run: MigrationRun, now: datetime) -> str:
    ends = inline(f"{run.from_schema or '?'} → {run.to_schema or '?'}")
    when, took = ago(run.started_at, now), f"{run.seconds:.2f} s" if run.seconds is not None else "–"
    note = inline(run.note)
    what, end = inline(run.direction), inline(run.outcome)
    return f"  {when:<14} {what:<8} {ends:<16} {end:<7} {took:>8}  {inline(run.deployment)} {note}"
