"""What the events of a deployment say about its steps."""

from __future__ import annotations

from typing import Any

import pytest

from panel.client.events import Event
from panel.widgets.steps import STEPS, Progress, step_lines
from tests.support.api_answers import NOW, Events


def progress_of(events: Events) -> Progress:
    progress = Progress()
    for one in events.all:
        progress.take(Event.model_validate(one))
    return progress


def test_a_step_takes_from_its_begin_to_its_end() -> None:
    progress = progress_of(Events().steps("d1", "prepare").add("step", "d1", step="build", state="running"))

    assert progress.states == {"prepare": "done", "build": "running"}
    assert progress.seconds == {"prepare": 1.0}
    assert progress.current == "build"


def test_output_belongs_to_the_step_under_way() -> None:
    events = Events().add("step", "d1", step="build", state="running").add("line", "d1", line="#1")
    progress = progress_of(events.add("step", "d1", step="verify", state="running").add("line", "d1", line="200 OK"))

    assert {step: list(lines) for step, lines in progress.output.items()} == {"build": ["#1"], "verify": ["200 OK"]}


@pytest.mark.parametrize(
    ("events", "can_cancel"),
    [
        (Events(), True),
        (Events().steps("d1", "verify"), True),
        (Events().add("step", "d1", step="switch", state="running"), False),
        (Events().add("step", "d1", step="build", state="failed"), False),
        (Events().add("cancelled", "d1"), False),
        (Events().add("live", "d1"), False),
    ],
)
def test_a_deployment_can_be_cancelled_until_the_traffic_is_switched(events: Events, can_cancel: bool) -> None:
    assert progress_of(events).can_cancel is can_cancel


@pytest.mark.parametrize("more", [{"kind": "eclipsed"}, {"fields": {"step": "observe", "state": "paused"}}])
def test_kinds_steps_and_states_of_a_newer_orchestrator_are_no_error(more: dict[str, Any]) -> None:
    events = Events().add("step", "d1", step="observe", state="running")
    events.all.append(events.all[0] | more)

    progress = progress_of(events)

    assert progress.decided == ""
    assert "observe" not in STEPS


def shown(progress: Progress) -> dict[str, str]:
    """By the name of each step, what stands beside it."""
    lines = [line.plain for line in step_lines(progress, NOW)]
    return {name: line.partition(words)[2].strip() for name, words in STEPS.items() for line in lines if words in line}


FAILED = Events().steps("d1", "prepare").add("step", "d1", step="fetch", state="failed")


@pytest.mark.parametrize(
    ("events", "step", "says"),
    [
        (Events(), "prepare", "not begun yet"),
        (Events().steps("d1", "prepare"), "fetch", "not begun yet"),
        (Events().add("step", "d1", step="fetch", state="failed"), "build", "– not run"),
        (FAILED.add("failed", "d1"), "build", "– not run"),
        (Events().steps("d1", "prepare").add("cancelled", "d1"), "fetch", "– not run"),
        (Events().add("superseded", "d1"), "prepare", "– not run"),
        (Events().steps("d1", "prepare").add("unchanged", "d1"), "build", "– not needed"),
        (Events().steps("d1", "switch").add("live", "d1"), "retire", "not begun yet"),
        (Events().steps("d1", "switch").add("live", "d1"), "backup", "– not run"),
        (Events().add("step", "d1", step="build", state="running").add("failed", "d1"), "build", "– interrupted"),
    ],
)
def test_a_step_that_is_not_run_says_whether_it_will_be(events: Events, step: str, says: str) -> None:
    assert shown(progress_of(events))[step] == says


@pytest.mark.parametrize("kind", ["rollback", "restore"])
def test_a_rollback_or_restore_has_no_steps_of_an_update(kind: str) -> None:
    progress = progress_of(Events().add("started", "d1", deployment_kind=kind).steps("d1", "switch"))

    assert list(shown(progress)) == ["switch"]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("deploy", ["Running migrations", "Starting the new container"]),
        ("restore", ["Replacing the data", "Starting the container"]),
        ("rollback", ["Changing the data", "Making the standby ready"]),
        ("eclipse", ["Running migrations", "Starting the new container"]),
    ],
)
def test_a_step_is_called_by_what_it_does_in_a_restore_and_a_rollback(kind: str, says: list[str]) -> None:
    events = Events().add("started", "d1", deployment_kind=kind).steps("d1", "migrate", "start")

    lines = [line.plain for line in step_lines(progress_of(events), NOW)]

    assert [one for one in says if any(one in line for line in lines)] == says
