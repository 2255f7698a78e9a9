"""Converts values to the text and tables that the command prints."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime

from rich.console import Group
from rich.table import Table

from border.plain import one_line
from border.revision import option
from panel.client.access_model import AuditEntries, OpenSession, Token
from panel.client.model import (
    App,
    Apps,
    Backup,
    Finding,
    HeldBack,
    Leftover,
    Plan,
    Slot,
    Trouble,
    Validation,
)
from panel.client.update_model import Update
from panel.clock import utc_now
from panel.text.age import NO_RELEASE_DATE, ago
from panel.text.backups import loss as in_sentences
from panel.text.changelog import brings, costs
from panel.text.markup import inline
from panel.text.moments import muted_until
from panel.text.size import size
from panel.text.why import add_why, why

NONE = "–"
COLOURS = ("blue", "green")
WELL = ("healthy", "none")


def status(found: Apps, now: datetime | None = None) -> Group:
    """The table of apps, and below it what is wrong: with the installation, and with each app."""
    now = now or utc_now()
    lines = [_trouble("", one) for one in found.troubles]
    for app in found.apps:
        lines += [_trouble(f"{inline(app.name)}: ", one) for one in app.troubles]
        if app.unsettled:
            lines.append(
                f"[red]✗ {inline(app.name)}: {inline(app.unsettled.says)}[/]\n  💡 {inline(app.unsettled.remedy)}"
            )
        if app.muted_until and app.is_muted(now):
            name, until = inline(app.name), muted_until(app.muted_until, now)
            lines.append(f"{name}: {until}. People are told nothing of it. End it with: changeover unmute {name}")
        if app.configuration_changed and app.active:
            lines.append(configuration_changed(app))
        if app.update and app.update.waits:
            lines.append(f"{inline(app.name)}: {inline(app.update.version)} is available. {inline(app.update.waits)}")
        if app.held_back:
            says, remedy = _no_update_is_offered(app, app.held_back)
            lines.append(f"[yellow]! {inline(says)}[/]\n  💡 {inline(remedy)}")
    return Group(apps_table(found.apps), *lines)


def _trouble(whose: str, trouble: Trouble) -> str:
    since = f" (since {trouble.since:%Y-%m-%d %H:%M} UTC)" if trouble.since else ""
    first, *more = trouble.says.splitlines() or [""]
    says = "\n".join([f"{whose}{inline(first)}{since}", *(f"  {inline(line)}" for line in more)])
    remedy = f"\n  💡 {inline(trouble.remedy)}" if trouble.remedy else ""
    return f"[yellow]! {says}[/]{remedy}" if trouble.warns else f"[red]✗ {says}[/]{remedy}"


def leftover(left: Leftover, keep_backups: bool) -> str:
    """What an app has left, a line for each kind."""
    kinds = {"containers": left.containers, "volumes with data": left.volumes, "images": left.images}
    if not keep_backups:
        kinds["backups"] = left.backups
    return "\n".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names)


def configuration_changed(app: App) -> str:
    version = inline(app.active.version) if app.active else NONE
    deploy = inline(f"changeover deploy {app.name} {option(app.active.revision) if app.active else ''} --wait")
    return (
        f"[yellow]! {inline(app.name)}: configuration changed since {version} was deployed.[/] Deploy it with: {deploy}"
    )


def apps_table(apps: Sequence[App]) -> Table:
    table = table_of("APP", "ACTIVE", "STANDBY", "HEALTH", "UPDATE", "DEPLOYMENT", "URL")
    for app in apps:
        update = inline(app.update.version) if app.update else _held_back(app)
        current = app.deployment
        deployment = inline(f"{current.id} {current.step or current.state}") if current else NONE
        slots = _slot(app.active), _slot(app.standby)
        table.add_row(inline(app.name), *slots, _health(app), update, deployment, inline(app.url))
    return table


def _held_back(app: App) -> str:
    return f"[yellow]{inline(app.held_back.version)} held back[/]" if app.held_back else NONE


def update(app: str, found: Update, now: datetime, state: App | None = None) -> str:
    """`state`: the app's, where it is known, which says whether anything is live."""
    released = f"released {ago(found.released_at, now)}" if found.released_at else NO_RELEASE_DATE
    checked = f"checked {ago(found.checked_at, now)}"
    heading = f"[bold]{inline(app)}: {inline(found.version)} is available[/]"
    heading += f" ({released}, {inline(found.origin)}, {checked})"
    waits = ["", inline(found.waits)] if found.waits else []
    says = [
        heading,
        *brings(found, has_live=state is None or state.active is not None),
        "",
        *map(inline, costs(found)),
        *waits,
    ]
    how = "To install it now" if found.waits else "Install it with"
    return "\n".join([*says, "", f"{how}: {inline(install(app, found))}"])


def install(app: str, found: Update) -> str:
    """The command that deploys exactly this update, also when a newer one came since."""
    return f"changeover deploy {app} {option(found.revision)} --wait"


def up_to_date(app: App) -> str:
    """What to say where a check found no update: that there is none, or why the newest release is not offered."""
    if app.held_back is None:
        return f"{app.name} is up to date."
    return "\n".join(_no_update_is_offered(app, app.held_back))


def _no_update_is_offered(app: App, held: HeldBack) -> tuple[str, str]:
    """Why its newest release is not offered, and what to do."""
    return f"No update of {app.name} is offered: {held.says}", held.remedy


def plan(found: Plan) -> str:
    """A numbered line a step, then a line for each thing that it costs those who are connected."""
    width = max((len(step.name) for step in found.steps), default=0)
    steps = (
        f"{number}. {one_line(step.name):<{width}}  {one_line(step.description)}"
        for number, step in enumerate(found.steps, 1)
    )
    return "\n".join([*steps, *map(one_line, found.cost)])


def backups(app: str, found: Sequence[Backup], now: datetime) -> Table | str:
    if not found:
        name = inline(app)
        return (
            f"{name} has no backups. While it is configured and live, create one with: changeover backup create {name}"
        )
    table = table_of("ID", "MADE", "VERSION", "SCHEMA", "FILES", "DATA", "PACKED")
    add_why(table)
    for one in found:
        made, packed = _made(one, now), size(one.archive_size)
        if one.problem:
            table.add_row(inline(one.id), made, NONE, NONE, NONE, NONE, packed, why(f"[red]✗ {inline(one.problem)}[/]"))
            continue
        version, schema = inline(one.version) or NONE, inline(one.data_schema) or NONE
        table.add_row(
            inline(one.id), made, version, schema, str(one.files), size(one.data_size), packed, why(inline(one.reason))
        )
    return table


def _made(one: Backup, now: datetime) -> str:
    return ago(one.created_at, now) if one.created_at else "at an unknown time"


def loss(one: Backup, now: datetime) -> str:
    """What a restore replaces, for the confirmation before it."""
    return "\n".join(in_sentences(one, now))


def findings(found: Sequence[Finding]) -> str:
    lines = []
    for finding in found:
        mark = "[yellow]![/]" if finding.warns else "[green]✓[/]" if finding.well else "[red]✗[/]"
        first, *more = finding.says.splitlines() or [""]
        lines += [f"{mark} {inline(finding.what)}: {inline(first)}", *(f"  {inline(line)}" for line in more)]
        if (finding.warns or not finding.well) and finding.remedy:
            lines.append(f"  💡 {inline(finding.remedy)}")
    return "\n".join(lines)


def validation(file: str, found: Validation) -> str:
    notices = [f"Notice: {notice}" for notice in found.notices]
    return "\n".join(one_line(line) for line in [*(found.problems or [f"{file} is valid."]), *notices])


def tokens(found: Sequence[Token]) -> Table:
    table = table_of("NAME", "SCOPE", "APPS", "EXPIRES", "STATE")
    for one in found:
        apps = "all" if one.apps is None else ", ".join(one.apps)
        expires = f"{one.expires_at:%Y-%m-%d %H:%M}" if one.expires_at else "never"
        table.add_row(inline(one.name), inline(one.scope), inline(apps), expires, _token_state(one))
    return table


def sessions(found: Sequence[OpenSession]) -> Table | str:
    if not found:
        return "No session of the panel is open."
    table = table_of("ID", "TOKEN", "FROM", "SIGNED IN (UTC)", "LAST USED", "EXPIRES")
    for one in found:
        moments = [f"{moment:%Y-%m-%d %H:%M}" for moment in (one.created_at, one.used_at, one.expires_at)]
        table.add_row(inline(one.id), inline(one.token), inline(one.origin), *moments)
    return table


def _token_state(token: Token) -> str:
    if token.revoked_at:
        return f"revoked {token.revoked_at:%Y-%m-%d %H:%M}"
    return "valid" if token.valid else "expired"


def audit(page: AuditEntries, options: Sequence[str]) -> Table | str:
    """`options` are those of the command, which the next page needs, too."""
    if not page.entries:
        return "The audit log has no such entries."
    table = table_of("WHEN (UTC)", "WHO", "FROM", "ACTION", "OUTCOME")
    add_why(table)
    for one in page.entries:
        outcome = f"{one.outcome} {one.status}" if one.status else one.outcome
        who, origin = inline(one.who) or NONE, inline(one.origin)
        table.add_row(
            f"{one.at:%Y-%m-%d %H:%M:%S}", who, origin, inline(one.action), inline(outcome), why(inline(one.reason))
        )
    if page.before is not None:
        more = shlex.join([*options, "--before", str(page.before)])
        table.caption = f"Older entries: changeover audit {inline(more)}"
        table.caption_justify = "left"
    return table


def table_of(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table


def _health(app: App) -> str:
    says = f"{inline(app.health)}, data unsettled" if app.unsettled else inline(app.health)
    return says if app.health in WELL and not app.unsettled else f"[red]{says}[/]"


def _slot(slot: Slot | None) -> str:
    if slot is None:
        return NONE
    style = slot.colour if slot.colour in COLOURS else "default"
    return f"[{style}]●[/] {inline(slot.version)}"
