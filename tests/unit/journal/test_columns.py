"""PostgreSQL refuses a text that is longer than its column, which SQLite takes: what a request may give fits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter

from migrations.database import connect
from migrations.revisions import upgrade
from orchestrator.access.tokens import NAME
from orchestrator.api import values


def pattern_of(value: Any) -> str:  # Any: an annotated type
    """The form of an annotated text."""
    return str(TypeAdapter(value).json_schema()["pattern"])


GIVEN = [
    (pattern_of(values.Ref), "deployments", "ref"),
    (pattern_of(values.BackupToRestore), "deployments", "ref"),
    (pattern_of(values.App), "deployments", "app"),
    (NAME, "tokens", "name"),
    (NAME, "panel_sessions", "token"),
    (NAME, "deployments", "requested_by"),
    (NAME, "audit", "who"),
]


@pytest.mark.parametrize(("pattern", "table", "column"), GIVEN)
def test_the_longest_text_that_a_request_may_give_fits_its_column(
    tmp_path: Path, pattern: str, table: str, column: str
) -> None:
    engine = connect(f"sqlite:///{tmp_path}/journal.db")
    upgrade("orchestrator", engine)
    lengths = {one["name"]: getattr(one["type"], "length", 0) for one in sa.inspect(engine).get_columns(table)}

    assert re.fullmatch(pattern, "a" * (lengths[column] + 1)) is None
