"""A backup as the API shows it."""

from __future__ import annotations

from orchestrator.api.backups import entry_view
from orchestrator.backup_sidecar.catalogue import Entry


def test_a_damaged_backup_whose_folder_was_renamed_is_shown() -> None:
    shown = entry_view("shop", Entry("before-the-sale", 5, None, "its manifest cannot be read"), [])

    assert (shown.id, shown.created_at, shown.problem) == ("before-the-sale", None, "its manifest cannot be read")
