"""The table of versions that the command prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.table import Table

from panel.client.version_model import Version
from panel.text.age import ago
from panel.text.markup import inline
from panel.text.versions import in_words


def versions(app: str, found: Sequence[Version], now: datetime) -> Table | str:
    if not found:
        return f"The source of {inline(app)} has no versions."
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("VERSION", "RELEASED", "STATE", "REF"):
        table.add_column(heading, no_wrap=True)
    for one in found:
        released = ago(one.released_at, now) if one.released_at else "–"
        table.add_row(inline(one.version), released, in_words(one) or "–", inline(one.ref))
    return table
