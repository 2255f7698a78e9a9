"""What is known of releases, from every attempt to deploy them."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.deployment import Failure, Interrupter, State, StepName
from orchestrator.domain.release import Release
from orchestrator.domain.release_history import (
    Attempt,
    Standing,
    live_since,
    may_be_offered,
    may_install_itself,
    newest_images,
    spare_backups,
    standing,
)

BY_ITSELF, OUTSIDE = Failure(StepName.VERIFY, "why"), Failure(StepName.PREPARE, "why", outside=True)


def attempt(number: int, state: State, revision: str = "r", **more: object) -> Attempt:
    values = {"was_live": state is State.LIVE, "ref": revision} | more
    release = Release(f"v{number}", revision, f"sha256:{revision}")
    return Attempt(number=number, deployment=f"d{number}", release=release, state=state, **values)  # type: ignore[arg-type]


def test_a_rolled_back_release_is_not_offered_again() -> None:
    assert standing([attempt(1, State.ROLLED_BACK, was_live=True)], "r") is Standing.WAS_LIVE


def test_one_that_failed_before_its_source_was_fetched_is_known_by_what_was_requested() -> None:
    failed = Attempt(1, "d1", "r", None, State.FAILED, was_live=False, failure=BY_ITSELF)

    assert standing([failed], "r") is Standing.FAILED


ATTEMPTS = st.lists(
    st.builds(
        attempt,
        number=st.integers(1, 1000),
        state=st.sampled_from([State.LIVE, State.FAILED, State.CANCELLED, State.SUPERSEDED, State.ROLLED_BACK]),
        revision=st.sampled_from(["r", "other"]),
        failure=st.sampled_from([None, BY_ITSELF, OUTSIDE]),
        interrupted_by=st.none() | st.sampled_from(Interrupter),
    ),
    max_size=80,
    unique_by=lambda one: one.number,
)


@given(ATTEMPTS, st.randoms())
def test_the_order_of_records_does_not_matter_and_nothing_unoffered_installs_itself(
    attempts: list[Attempt], shuffle: random.Random
) -> None:
    shuffled = list(attempts)
    shuffle.shuffle(shuffled)

    assert standing(shuffled, "r") is standing(attempts, "r")
    assert may_be_offered(attempts, "r") or not may_install_itself(attempts, "r")
    assert not any(one.was_live and one.is_of("r") for one in attempts) or not may_be_offered(attempts, "r")


def test_images_are_kept_of_the_last_releases_that_were_live_each_counted_once() -> None:
    live = [attempt(number, State.LIVE, f"r{number}") for number in range(1, 5)]
    again = [attempt(number, State.LIVE, "r4") for number in range(10, 40)]
    failed = [attempt(number, State.FAILED, f"bad{number}") for number in range(50, 90)]

    assert newest_images([*failed, *again, *live], 3) == ["sha256:r4", "sha256:r3", "sha256:r2"]


def test_releases_since_a_backup_are_those_of_later_deployments() -> None:
    attempts = [attempt(1, State.LIVE), attempt(2, State.FAILED), attempt(3, State.ROLLED_BACK, was_live=True)]

    assert live_since(attempts, 1) == ["v3"]


def test_a_backup_that_a_failed_migration_may_need_is_not_spare() -> None:
    attempts = [
        attempt(1, State.FAILED, backup="b1"),
        attempt(2, State.FAILED, backup="b2"),
        attempt(3, State.LIVE, backup="b3"),
        attempt(4, State.RUNNING, backup="b4"),
    ]

    assert spare_backups(attempts, {"d2"}) == ["b1", "d1"]


def test_of_failed_deployments_in_a_row_that_migrated_only_the_backup_before_the_first_is_counted() -> None:
    """Without migrate.status the command runs each time, and what it did is not known: each one was counted."""
    row = [attempt(number, State.FAILED, backup=f"b{number}") for number in range(2, 9)]
    attempts = [attempt(1, State.LIVE, backup="b1"), *row, attempt(9, State.RUNNING, backup="b9")]

    spare = spare_backups(reversed(attempts), {f"d{number}" for number in range(1, 10)})

    assert {one for one in spare if one.startswith("b")} == {f"b{number}" for number in range(3, 9)}


def test_a_release_that_went_live_ends_a_row_of_failed_deployments() -> None:
    attempts = [
        attempt(1, State.FAILED, backup="b1"),
        attempt(2, State.CANCELLED, backup="b2"),
        attempt(3, State.UNCHANGED),
        attempt(4, State.FAILED, backup="b4"),
        attempt(5, State.ROLLED_BACK, was_live=True, backup="b5"),
        attempt(6, State.FAILED, backup="b6"),
        attempt(7, State.FAILED, backup="b7"),
    ]

    assert spare_backups(attempts, {one.deployment for one in attempts}) == ["b2", "d2", "b4", "d4", "b7", "d7"]


def test_a_restore_ends_a_row_of_failed_deployments() -> None:
    """What was written since is in no backup but in that before the next failure, which was spare."""
    row = [attempt(number, State.FAILED, backup=f"b{number}") for number in (1, 3, 5, 6)]

    spare = spare_backups([*row, attempt(7, State.RUNNING)], {f"d{number}" for number in range(9)}, changed={4, 8})

    assert spare == ["b3", "d3", "b6", "d6"]


def test_a_backup_that_was_complete_when_a_cancel_or_kill_came_is_spare_although_nobody_has_recorded_it() -> None:
    """The sidecar still removed older ones. Counted, each of these pushed out a good one."""
    cancelled = attempt(2, State.CANCELLED)
    killed_in_migrate = [attempt(3, State.FAILED), attempt(4, State.FAILED, backup="b4")]

    spare = spare_backups([attempt(1, State.LIVE, backup="b1"), cancelled, *killed_in_migrate], {"d3", "d4"})

    assert spare == ["d2"], "the first backup with the data as it was before migrations is b4"
