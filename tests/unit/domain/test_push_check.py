"""Whether a push deploys what the source has: every real push does, and none that is sent again."""

from __future__ import annotations

import pytest

from orchestrator.domain.deployment import Failure, State, StepName
from orchestrator.domain.push_check import Head, is_to_deploy
from orchestrator.domain.release import Release
from orchestrator.domain.release_history import Attempt


def tried(*revisions: str) -> list[Attempt]:
    """Deployments in their order: `B` was live, `B!` failed, `B?` is under way, `B-` was superseded."""
    found = []
    for number, one in enumerate(revisions, 1):
        revision, how = one[0], one[1:]
        state = {"": State.LIVE, "!": State.FAILED, "?": State.RUNNING, "-": State.SUPERSEDED}[how]
        failure = Failure(StepName.BUILD, "it does not build") if how == "!" else None
        found.append(Attempt(number, f"d{number}", "", Release(revision, revision), state, not how, failure))
    return found[::-1]


@pytest.mark.parametrize(
    ("what", "head", "live", "attempts", "before", "deploys"),
    [
        ("the first one of an app", "A", "", tried(), "", True),
        ("a new commit", "B", "A", tried("A"), "A", True),
        ("what is live", "A", "A", tried("A"), "A", False),
        ("back to what was live: a real push", "A", "B", tried("A", "B"), "B", True),
        ("and forth again", "B", "A", tried("A", "B", "A"), "A", True),
        ("sent again after a rollback", "B", "A", tried("A", "B"), "B", False),
        ("sent again after a rollback of what nobody pushed", "B", "A", tried("A", "B"), "A", False),
        ("sent again after a person has chosen an old one", "B", "A", tried("A", "B", "A"), "B", False),
        ("sent again after it failed", "B", "A", tried("A", "B!"), "B", False),
        ("back while the newer one is being deployed", "A", "A", tried("A", "B?"), "B", True),
        ("what is being deployed", "B", "A", tried("A", "B?"), "A", False),
        ("a third one while another is being deployed", "C", "A", tried("A", "B?"), "B", True),
        ("a superseded one is what the source went back to", "A", "C", tried("A", "C", "A-"), "C", True),
    ],
)
def test_a_push_deploys_what_the_source_went_to(
    what: str, head: str, live: str, attempts: list[Attempt], before: str, deploys: bool
) -> None:
    assert is_to_deploy(Head(head, head), live, attempts, before) is deploys, what


def test_an_older_release_is_deployed_only_if_the_source_went_back_to_it() -> None:
    """Of a tag that was moved back, and of an index from which the newest version was withdrawn."""
    head = Head("A", "A", is_older=True)

    assert is_to_deploy(head, "B", tried("B"), "B")
    assert not is_to_deploy(head, "B", tried("B"), "A")
