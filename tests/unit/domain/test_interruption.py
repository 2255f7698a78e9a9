"""What is said of deployments that the end of the orchestrator interrupted, by who requested them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import orchestrator.api
from orchestrator.access.caller import Caller
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.askers import WITHOUT_PERSON
from orchestrator.domain.deployment import Deployment, Interrupter, Kind, State, StepName
from orchestrator.domain.interruption import end_by
from orchestrator.domain.push_check import is_interrupted
from orchestrator.domain.release import Release
from orchestrator.domain.release_history import MOST_KILLED, attempt_by


@pytest.mark.parametrize(
    ("by", "kind", "requested_by", "state", "cause", "tip"),
    [
        (Interrupter.PERSON, Kind.DEPLOY, "push", State.CANCELLED, "The deployment was cancelled.", ""),
        (Interrupter.PERSON, Kind.ROLLBACK, "anna", State.CANCELLED, "The rollback was cancelled.", ""),
        (Interrupter.STOP, Kind.DEPLOY, "anna", State.FAILED, "stopped during build", "Request it again."),
        (Interrupter.KILL, Kind.DEPLOY, "anna", State.FAILED, "stopped during build", "Request it again."),
        (Interrupter.STOP, Kind.DEPLOY, "push", State.FAILED, "stopped during build", "begun again by itself after"),
        (Interrupter.KILL, Kind.DEPLOY, "push", State.FAILED, "stopped during build", "begun again by itself after"),
        (Interrupter.STOP, Kind.DEPLOY, "auto_update", State.FAILED, "stopped during build", "auto_update begins it"),
        (Interrupter.STOP, Kind.RESTORE, "push", State.FAILED, "stopped during build", "Request it again."),
    ],
)
def test_only_a_person_cancels_and_what_is_begun_again_by_itself_says_so(
    by: Interrupter, kind: Kind, requested_by: str, state: State, cause: str, tip: str
) -> None:
    one = Deployment("d1", "shop", kind, State.RUNNING, requested_by, now())

    end, failure = end_by(by, one, StepName.BUILD)

    assert (end, failure.step) == (state, StepName.BUILD)
    assert cause in failure.cause
    assert tip in failure.tip
    assert bool(failure.tip) == bool(tip)


@pytest.mark.parametrize("requested_by", ["push", "auto_update"])
@pytest.mark.parametrize("kills", range(5))
@pytest.mark.parametrize("by", [Interrupter.KILL, Interrupter.STOP])
def test_what_has_ended_the_orchestrator_again_and_again_does_not_promise_to_be_begun_again(
    requested_by: str, kills: int, by: Interrupter
) -> None:
    """`kills`: those before this one."""
    release = Release("v2", "2" * 40)
    one = Deployment("d9", "shop", Kind.DEPLOY, State.RUNNING, requested_by, now(), release=release)
    ended = replace(one, state=State.FAILED, interrupted_by=Interrupter.KILL)
    before = [attempt_by(replace(ended, id=f"d{at}", number=at)) for at in range(kills)]
    after = [attempt_by(replace(ended, number=9, interrupted_by=by)), *before]

    tip = end_by(by, one, StepName.BUILD, before)[1].tip

    promises = "begun again by itself after" in tip or "auto_update begins it again" in tip
    assert promises is is_interrupted(after, "d9")
    assert promises is (kills + (by is Interrupter.KILL) < MOST_KILLED)


@pytest.mark.parametrize("name", [*sorted(WITHOUT_PERSON), "anna", "server-shell"])
def test_no_token_is_taken_for_what_requests_deployments_without_a_person(name: str) -> None:
    """A person's deployment is not begun again by itself, whatever the token is called."""
    asker = Caller(name, Scope.DEPLOY).asker
    one = Deployment("d1", "shop", Kind.DEPLOY, State.RUNNING, asker, now())

    assert asker == (f"token {name}" if name in WITHOUT_PERSON else name)
    assert end_by(Interrupter.STOP, one, StepName.BUILD)[1].tip == "Request it again."


def test_each_deployment_of_the_api_is_requested_by_an_asker() -> None:
    found = [
        call
        for file in Path(orchestrator.api.__file__).parent.glob("*.py")
        for call in re.findall(r"scheduler\s*\.(?:request|restore|roll_back)\([^)]*", file.read_text())
    ]

    assert len(found) >= 4
    assert all("who.asker" in call for call in found)
