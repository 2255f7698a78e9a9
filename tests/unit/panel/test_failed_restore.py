"""A restore or rollback that failed is called what it is, and no failed release."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.text import Text

from panel.client.model import Deployment, Deployments
from panel.text.history import history
from panel.text.outcome import outcome
from tests.support import api_answers as answers

NOW = datetime(2026, 11, 27, tzinfo=UTC)
REPLACED = "replacing the data (step migrate)"


def failed(kind: str, step: str, ref: str) -> Deployment:
    why = answers.FAILURE | {"step": step, "cause": "It ended with 1."}
    return Deployment.model_validate(answers.failed(kind=kind, version="v1", ref=ref) | {"failure": why})


CASES = [
    ("deploy", "migrate", "", "shop v1 failed at migrate: It ended with 1."),
    ("deploy", "migrate", "v1", "shop v1 failed at migrate: It ended with 1."),
    ("rollback", "migrate", "", "Rollback to shop v1 failed at migrate: It ended with 1."),
    ("rollback", "migrate", "b1", f"Rollback to shop v1 failed at {REPLACED}: It ended with 1."),
    ("rollback", "start", "b1", "Rollback to shop v1 failed at start: It ended with 1."),
    ("restore", "migrate", "b1", f"Restore of shop v1 failed at {REPLACED}: It ended with 1."),
    ("restore", "verify", "b1", "Restore of shop v1 failed at verify: It ended with 1."),
    ("eclipse", "migrate", "b1", "shop v1 failed at migrate: It ended with 1."),
]


@pytest.mark.parametrize(("kind", "step", "ref", "says"), CASES)
def test_the_outcome_says_what_failed_at_what(kind: str, step: str, ref: str, says: str) -> None:
    assert says in Text.from_markup(outcome(failed(kind, step, ref))).plain


@pytest.mark.parametrize(("kind", "step", "ref", "says"), CASES)
def test_the_history_says_at_what(kind: str, step: str, ref: str, says: str) -> None:
    console = Console(width=250)
    with console.capture() as shown:
        console.print(history("shop", Deployments(deployments=(failed(kind, step, ref),)), NOW))

    assert says.partition(" failed at ")[2] in " ".join(shown.get().split())
