"""A command that waits for a deployment, and cannot have a stream of its events: it asks for the deployment instead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from panel.client import drain_wait
from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import Answer, FakeApi, problem_answer

FULL = problem_answer(
    429,
    detail="Too many streams of events and logs are open: 100 of token 'ci'.",
    remedy="Close some of them, then try again.",
)
AWAY = problem_answer(503, detail="The orchestrator is starting.")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with FakeApi() as api:
        monkeypatch.setenv("CHANGEOVER_URL", api.url)
        monkeypatch.setenv("CHANGEOVER_TOKEN", "co_secret")
        monkeypatch.setattr(drain_wait, "ASKED_EVERY_S", 0.01)
        api.gives("POST", "/v1/apps/shop/deployments", answers.deployment(state="queued"), 202)
        running = answers.app(deployment={"id": "d42", "state": "running", "step": "build"})
        api.gives("GET", "/v1/apps/shop", running)
        yield api


def steps(*names: str) -> list[dict[str, object]]:
    return [{"name": name, "state": "done", "started_at": answers.before(minutes=1)} for name in names]


def goes_live(api: FakeApi, *, drained: bool = True) -> None:
    """The deployment is live after two more answers, and drained after another one."""
    route = ("GET", "/v1/deployments/d42")
    api.gives(*route, answers.deployment(state="running", steps=steps("prepare")))
    api.gives_next(*route, answers.deployment(state="running", steps=steps("prepare", "build")))
    api.gives_next(*route, answers.deployment(steps=steps("prepare", "build", "switch")))
    if drained:
        ended = answers.before(minutes=0)
        api.gives_next(*route, answers.deployment(steps=steps("prepare", "build", "switch", "retire"), ended_at=ended))


@pytest.mark.parametrize("answer", [FULL, AWAY], ids=["no further stream", "starting"])
def test_a_deployment_that_goes_live_without_a_stream_is_waited_for(api: FakeApi, answer: Answer) -> None:
    api.stream_answers.extend([answer] * 20)
    goes_live(api)

    done = changeover("deploy", "shop", "--wait")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:4] == ["✓ prepare", "✓ build", "✓ switch", "✓ retire"]
    assert "✓ Live: shop v1.1.0 on green" in done.stdout
    assert "Deployment d42 is asked for instead." in done.stderr


def test_a_deployment_that_fails_without_a_stream_ends_the_command_with_its_exit_code(api: FakeApi) -> None:
    api.stream_answers.append(FULL)
    api.gives("GET", "/v1/deployments/d42", answers.failed("d42"))

    done = changeover("deploy", "shop", "--wait")

    assert done.exit_code == 1
    assert "failed at verify" in done.stdout


def test_a_stream_that_may_not_be_opened_again_is_no_end_of_the_waiting(api: FakeApi) -> None:
    api.events = answers.Events().add("queued", "d42", by="ci").steps("d42", "prepare").all
    api.cuts.append(len(api.events))
    api.after_cuts = FULL
    goes_live(api)

    done = changeover("deploy", "shop", "--wait")

    assert done.exit_code == 0
    assert done.stdout.splitlines()[:5] == ["queued d42", "✓ prepare", "✓ build", "✓ switch", "✓ retire"]


def test_wait_goes_on_without_a_stream_until_the_deployment_is_live(api: FakeApi) -> None:
    api.stream_answers.append(FULL)
    goes_live(api, drained=False)

    done = changeover("wait", "shop")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:3] == ["✓ prepare", "✓ build", "✓ switch"]


@pytest.mark.parametrize("arguments", [("deploy", "shop", "--wait", "--json"), ("wait", "shop", "--quiet")])
def test_whoever_asked_for_no_progress_gets_none(api: FakeApi, arguments: tuple[str, ...]) -> None:
    api.stream_answers.append(FULL)
    goes_live(api)

    done = changeover(*arguments)

    assert (done.exit_code, done.stderr) == (0, "")
    assert "✓" not in done.stdout


def test_a_token_that_is_revoked_meanwhile_ends_the_waiting(api: FakeApi) -> None:
    api.stream_answers.append(FULL)
    api.refuses("GET", "/v1/deployments/d42", 401, detail="The token is unknown or revoked.")

    assert changeover("deploy", "shop", "--wait").exit_code == 4
