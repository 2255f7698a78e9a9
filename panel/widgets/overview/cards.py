"""The releases of an app as cards: which has the traffic, which is kept for a rollback, which is on its way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.style import Style
from rich.table import Table
from rich.text import Text

from border.plain import one_line
from border.revision import short
from panel.client.model import App, Slot
from panel.text.age import ago
from panel.text.moments import OWN, Times, muted_until
from panel.text.outcome import PAUSED
from panel.text.shortened import shortened
from panel.widgets.apps.grade import grade_of
from panel.widgets.overview.usage import Usage

NOTHING = "–"
SPACE = 10
"""Cells of the names on the left."""
FAINT = Style(dim=True)
BOLD = Style(bold=True)


def cards(
    app: App, now: datetime, width: int, used: Sequence[Usage] = (), times: Times = OWN, *, may_deploy: bool = True
) -> Table:
    """Everything about an app's releases that is known without asking again, and what their containers use, each fact
    on its line. Keys that deploy are named to those who `may_deploy`."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=SPACE, no_wrap=True, style=FAINT)
    table.add_column(overflow="fold")
    for name, value in _lines(app, now, max(20, width - SPACE), used, times, may_deploy):
        table.add_row(name, value)
    return table


def _lines(
    app: App, now: datetime, room: int, used: Sequence[Usage], times: Times, may_deploy: bool
) -> Iterator[tuple[str, Text]]:
    yield "Health", Text(f"{grade_of(app).mark} {_health(app)}", BOLD)
    if app.health == PAUSED:
        yield "", Text(f"New requests wait at the proxy{'. [W] lets them go on' if may_deploy else ''}")
    if app.muted_until:
        ends = ". [M] ends that" if may_deploy else ""
        yield "", Text(f"{muted_until(app.muted_until, now, times)}: no notices are sent{ends}")
    for trouble in app.troubles:
        yield "", Text(f"{'!' if trouble.warns else '✗'} {one_line(trouble.says)} {one_line(trouble.remedy)}".rstrip())
    if app.url:
        yield "Address", Text.assemble((one_line(app.url), Style(link=app.url, underline=True)))
    if app.deployment:
        step = app.deployment.step or app.deployment.state
        yield "Under way", Text(f"deployment {app.deployment.id}: {step}… [P] Progress")
    for name, slot in (("Active", app.active), ("Standby", app.standby), ("Candidate", app.candidate)):
        if slot is None:
            if name != "Candidate":
                yield name, Text(NOTHING, FAINT)
            continue
        since = f", live since {times.dated_to_minute(slot.since)} ({ago(slot.since, now)})" if slot.since else ""
        yield from _slot(name, slot, since if name == "Active" else "", room)
        yield from (("", Text(one.fitting(room))) for one in used if one.container == slot.container)
    shown = {slot.container for slot in (app.active, app.standby, app.candidate) if slot}
    for one in used:
        if one.container not in shown:
            yield "Container", Text(one.fitting(room, f"{one_line(one.container)} ({one.colour}): "))
    if app.update:
        keys = "[U] Update  [D] Details" if may_deploy else "[D] Details"
        yield "Update", Text(f"{one_line(app.update.version)} is available. {keys}")
    elif app.held_back:
        yield "Newest", Text(one_line(f"{app.held_back.version}: {app.held_back.says}"))
    if app.configuration_changed:
        again = " [U] deploys it again." if may_deploy else ""
        yield "Changed", Text(f"The configuration was changed since this release was deployed.{again}")
    if app.file_not_used:
        yield "", Text(one_line(app.file_not_used))


def _slot(name: str, slot: Slot, since: str, room: int) -> Iterator[tuple[str, Text]]:
    style = Style(color="dodger_blue1" if slot.colour == "blue" else "green3")
    version = shortened(one_line(slot.version), room // 2)
    yield name, Text.assemble((f"● {slot.colour} ", style), (version, BOLD), since)
    image = slot.image.removeprefix("sha256:")[:12]
    known = [short(slot.revision), slot.container, f"image {image}" if image else ""]
    facts = "  ".join(dict.fromkeys(one for one in known if one and one != slot.version))
    if facts:
        yield "", Text(one_line(facts), FAINT)
    if slot.warning:
        yield "", Text(f"! {one_line(slot.warning)}")


def _health(app: App) -> str:
    if app.unsettled:
        return f"{app.health}, data unsettled"
    return "not deployed" if app.active is None and app.health == "none" else app.health
