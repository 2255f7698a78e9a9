"""A long reason in a table is cut, and takes no room from what is typed again: ids, actions, versions. So is a
long line of output, and takes none from the line after it, which often is the reason."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.clock import now
from panel.cli import text
from panel.client.access_model import AuditEntries
from panel.client.model import Backup, Deployment, Deployments
from panel.text.history import history
from panel.text.markup import inline
from panel.text.outcome import failure
from panel.text.why import why
from tests.support import api_answers as answers

LONG = "It answered with status 500: " + "<p>Oh no</p> " * 50


def of_deployments() -> Table | str:
    failed = answers.failed("d20261126-4711")
    failed["failure"] = failed["failure"] | {"cause": LONG}
    return history("shop", Deployments.model_validate({"deployments": [failed, answers.deployment()]}), now())


def of_backups() -> Table | str:
    sizes = {"files": 3, "data_size": 4096, "archive_size": 2048, "created_at": answers.before(hours=1)}
    whole = {"id": "b20261126-4711", "app": "shop", "version": "v1.1.0", "reason": "manual"} | sizes
    found = [whole | {"reason": LONG}, whole | {"problem": LONG}]
    return text.backups("shop", [Backup.model_validate(one) for one in found], now())


def of_audit() -> Table | str:
    entry = {"id": 7, "at": answers.before(), "origin": "203.0.113.7", "app": "shop", "who": "ci", "outcome": "refused"}
    asked = {"action": "POST /v1/apps/shop/rollback", "status": 409, "reason": LONG}
    return text.audit(AuditEntries.model_validate({"entries": [entry | asked]}), [])


@pytest.mark.parametrize(
    ("table", "whole"),
    [
        (of_deployments(), ("d20261126-4711", "deploy", "failed", "v1.1.0", "ci")),
        (of_backups(), ("b20261126-4711",)),
        (of_audit(), ("POST /v1/apps/shop/rollback", "203.0.113.7", "refused 409")),
    ],
    ids=["history", "backup list", "audit"],
)
@pytest.mark.parametrize("width", [100, 400])
def test_a_long_reason_is_cut_and_nothing_else_is(table: Table, whole: tuple[str, ...], width: int) -> None:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(table)

    lines = [line.rstrip() for line in capture.get().splitlines() if LONG[:2] in line or "…" in line]
    assert lines
    assert len(capture.get().splitlines()) == 1 + table.row_count
    for line in lines:
        assert line.count("…") == 1
        assert line.endswith("…")
        assert all(said in line for said in whole)


def test_a_reason_is_shown_as_it_is() -> None:
    """Rich makes pictures of words between colons."""
    assert why(inline("no such image shop:key:1 [red]")).plain == "no such image shop:key:1 [red]"


@pytest.mark.parametrize("length", [1, 600, 601, 4096])
def test_a_long_line_of_output_is_cut_in_a_failure_and_the_reason_after_it_is_whole(length: int) -> None:
    line = "[" * (length - 1) + "z"
    failed = answers.failed()
    failed["failure"] = failed["failure"] | {"log": [line, "ERROR: the reason"]}

    shown = Text.from_markup("\n".join(failure(Deployment.model_validate(failed)))).plain.splitlines()

    of_line, reason = (one.removeprefix("  │ ") for one in shown if one.startswith("  │ "))
    left_out = max(0, length - 600)
    assert reason == "ERROR: the reason"
    assert of_line == (line if not left_out else f"{line[:400]} [{left_out} characters left out] {line[-200:]}")
