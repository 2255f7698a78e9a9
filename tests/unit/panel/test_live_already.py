"""A deployment of what is live already is no failure; a configuration that changed since is shown, with what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from panel.client.model import App, Deployment
from panel.text.outcome import outcome
from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi

UNCHANGED = answers.deployment(state="unchanged", version="v1.3", revision="4d1f0a24" * 5, seconds=None)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with FakeApi() as api:
        monkeypatch.setenv("CHANGEOVER_URL", api.url)
        monkeypatch.setenv("CHANGEOVER_TOKEN", "co_secret")
        api.gives("POST", "/v1/apps/shop/deployments", answers.deployment(state="queued"), 202)
        api.gives("GET", "/v1/deployments/d42", UNCHANGED)
        api.gives("GET", "/v1/apps/shop", answers.app())
        yield api


def test_a_repeated_job_ends_with_exit_code_0_and_says_how_to_deploy_it_again(api: FakeApi) -> None:
    api.events = answers.Events().steps("d42", "prepare", "fetch").add("unchanged", "d42", version="v1.3").all

    done = changeover("deploy", "shop", "--wait")

    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2:] == [
        "✓ shop v1.3 is live already, with this configuration. Nothing was deployed.",
        "  Deploy it again with: changeover deploy shop --ref 4d1f0a244d1f --force",
    ]


def test_so_does_one_that_a_program_waits_for(api: FakeApi) -> None:
    api.events = answers.Events().add("unchanged", "d42", version="v1.3").all

    assert changeover("deploy", "shop", "--wait", "--json").exit_code == 0


def test_force_is_passed_on(api: FakeApi) -> None:
    changeover("deploy", "shop", "--force")

    (asked,) = api.requests("POST", "/v1/apps/shop/deployments")
    assert asked.body["force"] is True


@pytest.mark.parametrize("changed", [True, False])
def test_status_says_that_the_configuration_changed_since_and_how_to_deploy_it(api: FakeApi, changed: bool) -> None:
    api.gives("GET", "/v1/apps", {"apps": [answers.app(configuration_changed=changed)]})

    shown = changeover("status").stdout

    says = (
        "! shop: configuration changed since v1.0.0 was deployed. Deploy it with: changeover deploy shop --ref 0c5bf1e"
    )
    assert (says in shown) is changed


NOT_USED = "The saved control-panel-config.yaml is not in use: control-panel-config.yaml:7: drain: unknown key."
SAYS = f"! {NOT_USED} Deployments take the configuration before it. See: changeover validate"


@pytest.mark.parametrize("end", ["unchanged", "live", "queued", "failed"])
def test_whoever_has_edited_the_file_is_told_that_it_was_not_what_was_deployed(api: FakeApi, end: str) -> None:
    api.gives("POST", "/v1/apps/shop/deployments", answers.failed() if end == "failed" else UNCHANGED | {"state": end})
    api.gives("GET", "/v1/apps/shop", answers.app(file_not_used=NOT_USED))

    assert SAYS in changeover("deploy", "shop").stdout.splitlines()


def test_so_is_who_asks_what_a_deployment_would_do(api: FakeApi) -> None:
    plan = {"app": "shop", "kind": "deploy", "steps": [{"name": "prepare", "description": "check"}], "cost": []}
    api.gives("GET", "/v1/apps/shop/plan", plan)
    api.gives("POST", "/v1/apps/shop/update/check", None)
    api.gives("GET", "/v1/apps/shop", answers.app(file_not_used=NOT_USED))

    assert SAYS in changeover("deploy", "shop", "--dry-run").stdout.splitlines()


@pytest.mark.parametrize("end", ["unchanged", "live", "queued", "failed"])
def test_with_the_file_in_use_nothing_is_said_of_it(api: FakeApi, end: str) -> None:
    api.gives("POST", "/v1/apps/shop/deployments", answers.failed() if end == "failed" else UNCHANGED | {"state": end})

    assert "not in use" not in changeover("deploy", "shop").output


def test_a_queued_deployment_of_an_app_whose_requests_are_paused_is_queued(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps/shop", answers.app(health="paused"))

    assert changeover("deploy", "shop").exit_code == 0


def test_a_rollback_takes_no_configuration() -> None:
    ended = Deployment.model_validate(answers.deployment(kind="rollback"))
    app = App.model_validate(answers.app(file_not_used=NOT_USED))

    assert "not in use" not in outcome(ended, app)
