"""The audit log has a limit, and nobody reaches it at the cost of others."""

from __future__ import annotations

import pytest

from orchestrator.journal import audit_log
from orchestrator.journal.store import Journal


@pytest.mark.parametrize(("flood", "status"), [("", 401), ("reader", 200)], ids=["without a token", "with a small one"])
def test_whoever_sends_many_requests_does_not_push_out_what_others_did(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, flood: str, status: int
) -> None:
    monkeypatch.setattr(audit_log, "MOST_ENTRIES", 100)
    monkeypatch.setattr(audit_log, "PRUNED_EVERY", 10)
    journal.audit("thief", "10.0.0.9", "POST /v1/tokens", "", 201)
    journal.audit("ann", "10.0.0.1", "DELETE /v1/tokens/thief", "", 200)

    for number in range(400):
        journal.audit(flood, "10.0.0.9", f"POST {number}", "", status)

    kept = journal.audit_entries(limit=1000)
    assert [one.who for one in kept[-2:]] == ["ann", "thief"]
    assert kept[0].action == "POST 399"
    assert len(kept) <= 100 + 10
