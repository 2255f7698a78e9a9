"""A new backup is not kept for ever, and the command says so."""

from __future__ import annotations

from typing import Any

import pytest

from panel.cli.backup_text import new_backup
from panel.client.model import Backup
from tests.support import api_answers as answers

MADE: dict[str, Any] = {
    "id": "b1", "app": "shop", "version": "v1", "reason": "asked", "created_at": answers.before(), "files": 3,
    "data_size": 4096, "archive_size": 1024,
}  # fmt: skip
KEPT = (
    "  It is kept while it is one of the newest 7 that were made by hand, or the first of one of the last 7 days with "
    "backups (update.backup.keep_backups)."
)


@pytest.mark.parametrize(("more", "says"), [({"keep_backups": 7}, [KEPT]), ({}, [])])
def test_a_new_backup_says_how_long_it_is_kept_if_the_orchestrator_says_it(
    more: dict[str, int], says: list[str]
) -> None:
    assert new_backup(Backup.model_validate(MADE | more)).splitlines()[1:] == says
