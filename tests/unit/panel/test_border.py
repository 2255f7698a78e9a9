"""What an orchestrator answers is shown without control characters, and none of it is markup."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from rich.text import Text

from panel.client import events
from panel.client.events import Event
from panel.client.model import Deployment
from panel.text.outcome import outcome
from panel.widgets.events.log import event_line
from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi, problem_answer
from tests.support.hostile import QUESTION, forbidden_in, hostile_text

FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""What the command itself writes for colours."""
ENUMS = {"state", "kind", "colour", "step", "health"}
TIMES = ("_at", "since", "at")


def strange(value: Any, text: str) -> Any:
    """An answer with this text in the place of every text that is not a time."""
    if isinstance(value, dict):
        return {name: one if name.endswith(TIMES) else strange(one, text) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [strange(one, text) for one in value]
    return text if isinstance(value, str) else value


OPEN = {
    "id": "a",
    "token": "b",
    "origin": "c",
    **dict.fromkeys(("created_at", "used_at", "expires_at"), answers.before()),
}
PLAN = {"app": "a", "kind": "b", "steps": [{"name": "c", "description": "d"}]}
COMMANDS: tuple[tuple[tuple[str, ...], tuple[str, str], Any], ...] = (
    (("status",), ("GET", "/v1/apps"), {"apps": [answers.app(update=answers.update(), standby=answers.slot())]}),
    (("check", "shop"), ("POST", "/v1/apps/shop/update/check"), answers.update()),
    (("history", "shop"), ("GET", "/v1/apps/shop/deployments"), {"deployments": [answers.failed()]}),
    (("logs", "shop"), ("GET", "/v1/apps/shop/logs"), {"container": "shop-blue", "lines": ["hello"]}),
    (("doctor",), ("GET", "/v1/doctor"), {"findings": [{"what": "disk", "well": False, "says": "a", "remedy": "b"}]}),
    (("token", "list"), ("GET", "/v1/tokens"), {"tokens": [{"name": "ci", "scope": "read"}]}),
    (("session", "list"), ("GET", "/v1/sessions"), {"sessions": [OPEN]}),
    (("deploy", "shop", "--dry-run"), ("GET", "/v1/apps/shop/plan"), PLAN),
)  # fmt: skip


@pytest.mark.parametrize(("arguments", "route", "answer"), COMMANDS, ids=lambda value: None)
@pytest.mark.parametrize("as_json", [False, True])
@FEW
@given(text=hostile_text())
def test_no_command_prints_control_characters(
    api: FakeApi, arguments: tuple[str, ...], route: tuple[str, str], answer: Any, as_json: bool, text: str
) -> None:
    api.gives(*route, strange(answer, text))

    done = changeover(*arguments, *(["--json"] if as_json else []))

    assert forbidden_in(STYLE.sub("", done.output)) == set()


@FEW
@given(text=hostile_text())
def test_no_error_is_printed_with_control_characters(api: FakeApi, text: str) -> None:
    api.refuses("GET", "/v1/apps", 409, detail=text, remedy=text, log=[text])

    done = changeover("status")

    assert done.exit_code == 3
    assert forbidden_in(STYLE.sub("", done.output)) == set()


def test_events_are_printed_without_control_characters(api: FakeApi) -> None:
    text = f"a{QUESTION}b\x9b6nc\u202e[bold]\ud800"
    line = {"id": 1, "at": answers.before(), "kind": "line", "app": text, "deployment": "d1", "fields": {"line": text}}
    other = {"id": 2, "at": answers.before(), "kind": text, "app": text, "deployment": text, "fields": {text: text}}
    for as_json in ([], ["--json"]):
        api.events = [line, other]
        api.cuts.append(2)
        api.after_cuts = problem_answer(401, detail="The token is unknown or revoked.")

        done = changeover("events", "--after", "0", *as_json)

        assert forbidden_in(STYLE.sub("", done.output)) == set()
        assert "[bold]" in done.output


WORDS = hostile_text().map(lambda text: f"[red]{text}[/]")


@given(WORDS)
def test_nothing_in_a_failure_is_markup(text: str) -> None:
    ended = Deployment.model_validate(strange(answers.failed(), text))

    shown = Text.from_markup(outcome(ended), emoji=False)

    assert "red]" in shown.plain
    assert {str(span.style) for span in shown.spans} <= {"red", "dim", "green", "yellow", "bold"}


@given(WORDS)
def test_nothing_in_an_event_is_markup(text: str) -> None:
    for kind, fields in events.FIELDS.items():
        given = {name: _of_kind(field.annotation, text) for name, field in fields.model_fields.items()}
        event = Event(id=1, at=answers.NOW, kind=kind, app=text, deployment=text, fields=given)

        if line := event_line(event):
            assert "[red]" in Text.from_markup(line, emoji=False).plain


def _of_kind(annotation: Any, text: str) -> Any:  # Any: a field's type, and a value of it
    if annotation in (str, str | None):
        return text
    return [text] if "tuple" in str(annotation) else None


def test_the_answer_of_a_program_is_json_after_all(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps", {"apps": [], "x": "\u009b6n\u202e"})

    assert json.loads(changeover("status", "--json").stdout) == {"apps": [], "x": ""}
