"""`changeover events --deployment` ends with that deployment, however it ends and however long ago that was."""

from __future__ import annotations

import json

import pytest

from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi, problem_answer

OF_D42 = ("GET", "/v1/deployments/d42")
SO_FAR = ("GET", "/v1/deployments/d42/events")


@pytest.mark.parametrize("last", ["ended", "failed", "cancelled", "superseded", "unchanged"])
@pytest.mark.parametrize("arguments", [(), ("--after", "0"), ("--json",)])
def test_it_ends_with_a_deployment_that_is_under_way(api: FakeApi, last: str, arguments: tuple[str, ...]) -> None:
    api.gives(*OF_D42, answers.deployment("d42", "running", ended_at=None))
    told = answers.Events().steps("d42", "build").add("live", "d41").add("ended", "d41").add("line", "d42", line="a")
    api.events = told.add(last, "d42").all

    done = changeover("events", "--deployment", "d42", *arguments)

    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == sum(one["deployment"] == "d42" for one in api.events)
    assert last in done.stdout.splitlines()[-1]


def test_that_a_deployment_is_live_is_not_its_end(api: FakeApi) -> None:
    api.gives(*OF_D42, answers.deployment("d42", "live", ended_at=None))
    api.events = answers.Events().add("live", "d42", colour="blue").add("drained", "d42").add("ended", "d42").all

    done = changeover("events", "--deployment", "d42", "--json")

    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["live", "drained", "ended"]


@pytest.mark.parametrize(
    ("state", "ended_at"),
    [
        ("live", answers.before()), ("rolled_back", answers.before()), ("failed", None), ("cancelled", None),
        ("superseded", None), ("unchanged", None), ("eclipsed", answers.before()),
    ],
)  # fmt: skip
def test_of_one_that_has_ended_all_pages_of_events_are_told_without_a_stream(
    api: FakeApi, state: str, ended_at: str | None
) -> None:
    api.gives(*OF_D42, answers.deployment("d42", state, ended_at=ended_at))
    # Also one whose end was not recorded as an event, or is not the last one.
    events = [{**one, "trace": "t1"} for one in answers.Events().steps("d42", "a", "b").add("line", "d42").all]
    api.gives(*SO_FAR, {"events": events[:3], "after": events[2]["id"]})
    api.gives_next(*SO_FAR, {"events": events[3:], "after": None})

    done = changeover("events", "--deployment", "d42", "--json")

    assert done.exit_code == 0, done.output
    assert [json.loads(line) for line in done.stdout.splitlines()] == events
    pages = [one.query["after"] for one in api.asked if one.path == SO_FAR[1]]
    assert pages == ["0", str(events[2]["id"])]
    assert not any(one.path == "/v1/events" for one in api.asked)


def test_of_one_that_has_ended_and_has_no_later_events_nothing_is_told(api: FakeApi) -> None:
    api.gives(*OF_D42, answers.deployment("d42", "live", ended_at=answers.before()))
    api.gives(*SO_FAR, {"events": [], "after": None})

    done = changeover("events", "--deployment", "d42", "--after", "99")

    assert (done.exit_code, done.output) == (0, "")
    assert next(one.query["after"] for one in api.asked if one.path == SO_FAR[1]) == "99"


def test_without_a_deployment_the_end_of_one_ends_nothing(api: FakeApi) -> None:
    api.events = answers.Events().add("ended", "d41").add("failed", "d42").add("queued", "d43").all
    api.cuts.append(len(api.events))
    api.after_cuts = problem_answer(401, detail="The token is unknown or revoked.")

    done = changeover("events", "--after", "0")

    assert (done.exit_code, len(done.stdout.splitlines())) == (4, 3)
