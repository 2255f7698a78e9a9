"""A command that waits for a deployment, and cannot have a stream of its events: it asks for the deployment instead."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize("form", ["plain", "github", "gitlab"])
def test_a_job_is_told_each_step_once_when_the_stream_is_lost(api: FakeApi, form: str) -> None:
    """All steps were told a second time."""
    told = answers.Events().add("queued", "d42", by="ci").steps("d42", "prepare")
    api.events = told.add("step", "d42", step="build", state="running").all
    api.cuts.append(len(api.events))
    api.after_cuts = FULL
    goes_live(api)

    done = changeover("deploy", "shop", "--wait", "--log-format", form)

    assert done.exit_code == 0
    assert re.findall("✓ ([a-z]+)", done.stdout) == ["prepare", "build", "switch", "retire"]
    begins, ends = {"github": ("::group::", "::endgroup::"), "gitlab": ("section_start", "section_end")}.get(
        form, ("", "")
    )
    assert done.stdout.count(begins) == done.stdout.count(ends)


@pytest.mark.parametrize("form", ["github", "gitlab"])
def test_whatever_ends_the_waiting_leaves_no_group_open(api: FakeApi, form: str) -> None:
    """A token that was revoked left the rest of the job's log in a folded group, whose commands were not obeyed."""
    api.events = answers.Events().add("step", "d42", step="build", state="running").all
    api.cuts.append(1)
    api.after_cuts = problem_answer(401, detail="The token is unknown or revoked.")

    done = changeover("deploy", "shop", "--wait", "--log-format", form)

    assert done.exit_code == 4
    begins, ends = {"github": ("::group::", "::endgroup::"), "gitlab": ("section_start", "section_end")}[form]
    assert (done.stdout.count(begins), done.stdout.count(ends)) == (1, 1)
    assert "stop-commands" not in done.stdout


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
