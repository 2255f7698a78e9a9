"""Text of alerts for the command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime

from rich.table import Table

from panel.cli.text import NONE, table_of
from panel.client.alert_model import Alerts
from panel.text.alerts import lasted, what, whose
from panel.text.markup import inline
from panel.text.moments import OWN
from panel.text.why import add_why, why


def alerts(page: Alerts, options: Sequence[str], now: datetime) -> Table | str:
    """`options` are those of the command, which the next page needs, too."""
    if not page.alerts:
        return "There are no such alerts."
    table = table_of("", "BEGAN", "APP", "WHAT", "LASTED", "DEPLOYMENT")
    add_why(table)
    for one in page.alerts:
        mark = "[green]✓[/]" if one.ended_at else "[red]✗[/]"
        says = inline(what(one)) + (" [dim](muted)[/]" if one.muted else "")
        table.add_row(
            mark, OWN.dated(one.began_at), inline(whose(one)), says, lasted(one, now), inline(one.deployment) or NONE,
            why(inline(one.cause)),
        )  # fmt: skip
    if page.before is not None:
        more = shlex.join([*options, "--before", str(page.before)])
        table.caption = f"Older ones: changeover alerts {inline(more)}"
        table.caption_justify = "left"
    return table
