"""Past deployments: one row is live, and a failure is shown again with its log."""

from __future__ import annotations

import pytest

from panel.client.model import Deployment
from panel.text.history import state_now
from panel.text.outcome import failure
from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi

HTML = "status 500: <!doctype html>\n<html>\n<head><title>Oh no</title></head>\n</html>"


@pytest.mark.parametrize(
    ("kind", "state", "slot", "shown"),
    [
        ("deploy", "live", "active", "live"),
        ("deploy", "live", "standby", "standby"),
        ("deploy", "live", "", "replaced"),
        ("deploy", "live", "removed", "removed"),
        ("deploy", "live", None, "live"),
        ("rollback", "live", "", "done"),
        ("restore", "live", "", "done"),
        ("deploy", "rolled_back", "standby", "rolled back"),
        ("deploy", "failed", "", "failed"),
    ],
)
def test_only_the_release_that_has_the_traffic_is_live(kind: str, state: str, slot: str | None, shown: str) -> None:
    one = Deployment.model_validate(answers.deployment(kind=kind, state=state, slot=slot))

    assert state_now(one) == shown


def test_history_has_one_line_a_deployment_whatever_failed(api: FakeApi) -> None:
    failed = answers.failed()
    failed["failure"] = failed["failure"] | {"cause": f"{HTML} {'and so on, ' * 100}"}
    older = [answers.deployment(f"d{number}", slot="") for number in range(3)]
    api.gives("GET", "/v1/apps/shop/deployments", {"deployments": [failed, answers.deployment(slot="active"), *older]})

    lines = changeover("history", "shop").stdout.splitlines()

    assert len(lines) == 6
    assert sum(" live " in line for line in lines) == 1
    assert "<title>Oh no</title>" in lines[1]


def test_a_failure_says_for_how_long_requests_were_paused_as_a_success_does() -> None:
    ended = Deployment.model_validate(answers.failed() | {"paused": 13.8})

    assert "  New requests were paused for 13.80 s." in failure(ended)


def test_a_failure_is_shown_again_with_its_steps_and_its_log(api: FakeApi) -> None:
    steps = [
        {"name": "build", "state": "done", "started_at": answers.before(), "seconds": 1.5},
        {"name": "verify", "state": "failed", "started_at": answers.before(), "seconds": 0.2, "note": "It ended."},
    ]
    api.gives("GET", "/v1/deployments/d43", answers.failed("d43") | {"steps": steps})
    api.gives("GET", "/v1/apps/shop", answers.app())

    done = changeover("show", "d43")

    assert done.exit_code == 0
    assert "Deployment d43 of shop" in done.stdout
    assert "✓ build       1.50 s" in done.stdout
    assert "✗ verify      0.20 s" in done.stdout
    assert "│ ModuleNotFoundError: No module named 'till'" in done.stdout


def test_a_log_that_stands_above_is_not_printed_again(api: FakeApi) -> None:
    api.gives("POST", "/v1/apps/shop/deployments", answers.deployment("d43", "queued"), 202)
    api.gives("GET", "/v1/deployments/d43", answers.failed("d43"))
    api.gives("GET", "/v1/apps/shop", answers.app())
    told = answers.Events()
    for line in answers.FAILURE["log"]:
        told.add("line", "d43", line=line)
    api.events = told.add("failed", "d43", step="verify", cause="It ended.").all

    done = changeover("deploy", "shop", "--wait")

    assert done.stdout.count("ModuleNotFoundError") == 1
    assert done.stdout.index("ModuleNotFoundError") < done.stdout.index("✗ shop")


def test_a_failure_of_an_app_that_is_not_configured_any_more_is_shown_with_why_its_state_is_not(api: FakeApi) -> None:
    api.gives("GET", "/v1/deployments/d43", answers.failed("d43"))
    api.refuses("GET", "/v1/apps/shop", 404, detail="No app 'shop' is configured.", remedy="Configured apps: panel.")

    done = changeover("show", "d43")

    assert done.exit_code == 0
    assert "Deployment d43 of shop" in done.stdout
    assert done.stderr == "shop is not configured any more.\n"


@pytest.mark.parametrize(
    ("ended", "says"),
    [
        ({"state": "superseded"}, "because a newer one was requested before it began"),
        ({"state": "cancelled", "interrupted_by": "person"}, "because somebody asked for that"),
        ({"state": "cancelled", "interrupted_by": "stop"}, "because the orchestrator was stopped meanwhile"),
        ({"state": "cancelled", "interrupted_by": "of tomorrow"}, ": cancelled."),
        ({"state": "cancelled"}, ": cancelled."),
    ],
)
def test_what_never_began_says_why_and_no_space_stands_where_its_version_would(
    api: FakeApi, ended: dict[str, str], says: str
) -> None:
    one = answers.deployment("d44", version="", revision="", container="", seconds=None, **ended)
    api.gives("GET", "/v1/deployments/d44", one)
    api.gives("GET", "/v1/apps/shop/deployments", {"deployments": [one]})

    shown = changeover("show", "d44").stdout

    assert shown.splitlines()[0] == f"Deployment d44 of shop: {ended['state']}"
    assert says in shown.splitlines()[-1]
    assert shown.splitlines()[-1].endswith(".")
    assert " :" not in shown
    if says.startswith("because "):
        assert says.removeprefix("because ") in changeover("history", "shop").stdout
