"""A rollback or restore, which is answered when it has ended, is told while it works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import Answer, Asked, FakeApi, problem_answer
from tests.support.paths import ROOT
from tests.unit.panel.test_interrupted import HEARS_CTRL_C

COMMANDS = {
    "restore": ("backup", "restore", "shop", "b1", "--yes"),
    "rollback": ("rollback", "shop", "--restore", "b1", "--yes"),
}
PATHS = {"/v1/apps/shop/backups/b1/restore", "/v1/apps/shop/rollback"}


class Works(FakeApi):
    """Answers a restore only when its events are followed, or `released` is set; not at all if it `ends` first."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.ends = False

    def answer_to(self, asked: Asked) -> Answer:
        if asked.method == "POST" and asked.path in PATHS:
            self.released.wait(20)
            if self.ends:
                raise ConnectionResetError("This orchestrator ends.")
        return super().answer_to(asked)

    def __exit__(self, *ended: Any) -> None:
        self.released.set()
        super().__exit__(*ended)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Works]:
    api = Works()
    with api:
        monkeypatch.setenv("CHANGEOVER_URL", api.url)
        monkeypatch.setenv("CHANGEOVER_TOKEN", "co_secret")
        yield api


def works(api: Works, kind: str, state: str = "live") -> None:
    """A restore whose sidecar says something."""
    happens = (
        answers.Events().add("started", "d7").steps("d7", "backup").add("step", "d7", step="restore", state="running")
    )
    happens.add("line", "d7", line="4,000 files of 9,000")
    api.events = happens.add("failed" if state == "failed" else "live", "d7").add("ended", "d7").all
    api.gives("GET", "/v1/apps/shop", answers.app(deployment={"id": "d7", "state": "running"}))
    more = {"failure": answers.FAILURE | {"log": ["4,000 files of 9,000"]}} if state == "failed" else {}
    api.gives("GET", "/v1/deployments/d7", answers.deployment("d7", "running", kind=kind))
    for path in PATHS:
        api.gives("POST", path, answers.deployment("d7", state, kind=kind, **more), 502 if more else 200)


def answers_when_followed(api: Works) -> threading.Thread:
    def release() -> None:
        while not api.requests("GET", "/v1/events"):
            api.released.wait(0.01)
        api.released.set()

    thread = threading.Thread(target=release, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("kind", COMMANDS)
def test_what_its_sidecar_says_is_told_before_it_is_answered(api: Works, kind: str) -> None:
    works(api, kind)
    answers_when_followed(api)

    done = changeover(*COMMANDS[kind])

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:3] == ["started d7", "✓ backup", "  4,000 files of 9,000"]
    assert [one.query["deployment"] for one in api.requests("GET", "/v1/events")] == ["d7"], "followed once"


def test_one_that_fails_ends_with_its_code_and_its_log_once(api: Works) -> None:
    works(api, "restore", "failed")
    answers_when_followed(api)

    done = changeover(*COMMANDS["restore"])

    assert done.exit_code == 1
    assert done.stdout.count("4,000 files of 9,000") == 1


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize(("state", "code"), [("live", 0), ("failed", 1)])
def test_one_whose_orchestrator_starts_again_meanwhile_is_told_to_its_end(
    api: Works, kind: str, state: str, code: int
) -> None:
    """The command said that nothing answers, and not which restore it was, nor what became of it."""
    works(api, kind, state)
    api.ends = True
    more = {"failure": answers.FAILURE} if state == "failed" else {}
    api.gives_next("GET", "/v1/deployments/d7", answers.deployment("d7", state, kind=kind, **more))
    api.cuts.append(3)
    answers_when_followed(api)

    done = changeover(*COMMANDS[kind])

    assert done.exit_code == code, done.output
    assert done.stdout.splitlines()[:3] == ["started d7", "✓ backup", "  4,000 files of 9,000"]
    assert "Nothing answers" not in done.output


def test_one_whose_answer_is_lost_before_it_was_seen_is_told_as_such(api: Works) -> None:
    works(api, "restore")
    api.ends = True
    api.released.set()

    done = changeover(*COMMANDS["restore"])

    assert (done.exit_code, done.stdout) == (4, "")


def test_one_that_is_refused_tells_nothing_of_another_one(api: Works) -> None:
    works(api, "deploy")
    for path in PATHS:
        api._answers["POST", path].clear()
        api._answers["POST", path].append(problem_answer(409, detail="Deployment d7 of shop is running."))
    threading.Timer(0.6, api.released.set).start()

    done = changeover(*COMMANDS["restore"])

    assert (done.exit_code, done.stdout) == (3, "")
    assert "Deployment d7 of shop is running." in done.stderr


def test_json_is_the_answer_alone(api: Works) -> None:
    works(api, "restore")
    api.released.set()

    done = changeover(*COMMANDS["restore"], "--json")

    assert json.loads(done.stdout)["id"] == "d7"
    assert not api.requests("GET", "/v1/events")


@pytest.mark.parametrize("kind", COMMANDS)
def test_ctrl_c_says_once_which_one_goes_on(api: Works, kind: str) -> None:
    works(api, kind)
    api.events = api.events[:5]
    with subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C, *COMMANDS[kind]],
        cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        while "4,000" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)

    assert process.returncode == 128 + signal.SIGINT
    assert said.count("goes on without this command") == 1
    assert said.startswith(f"{kind.capitalize()} ")
    assert "changeover cancel d7" in said
