"""Docker's HEALTHCHECK of the orchestrator says what /readyz says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator import docker_healthcheck
from orchestrator.settings import Settings
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


def test_it_asks_the_port_on_which_the_orchestrator_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHANGEOVER_API_PORT", raising=False)

    assert Settings().api_port == docker_healthcheck.DEFAULT_PORT


def test_it_imports_the_standard_library_alone() -> None:
    """Docker starts it every ten seconds, for ever."""
    loaded = (
        "import sys; before = {*sys.modules}; import orchestrator.docker_healthcheck; print(*{*sys.modules} - before)"
    )
    printed = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True).stdout

    assert {name.split(".")[0] for name in printed.split()} <= sys.stdlib_module_names | {"orchestrator"}
