"""Docker's HEALTHCHECK of the orchestrator says what /readyz says."""

from __future__ import annotations

import pytest

from orchestrator import docker_healthcheck
from tests.support.addresses import free_port
from tests.support.fakes.api import FakeApi


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [(200, "ready", 0), (503, "background tasks keep failing: 'update checks'", 1), (503, "starting", 1)],
)
def test_it_is_healthy_when_the_orchestrator_is_ready(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, answer: str, code: int
) -> None:
    with FakeApi() as api:
        monkeypatch.setenv("CHANGEOVER_API_PORT", api.url.rpartition(":")[2])
        api.gives_text("GET", "/readyz", f"{answer}\n", status)

        assert docker_healthcheck.main() == code

    assert capsys.readouterr().out == (f"{answer}\n" if code else "")


def test_one_that_does_not_answer_is_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_API_PORT", str(free_port()))

    assert docker_healthcheck.main() == 1
