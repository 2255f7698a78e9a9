"""What is dismissed is what a person saw: an update, or why the newest release is not offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import Refused
from orchestrator.updates.remembered import DISMISSED_FOR_S
from tests.support.fakes.journal import UnreliableJournal
from tests.unit.updates.test_checker import APP, Bench
from tests.unit.updates.test_policy import again, with_update


@pytest.fixture
def bench(journal: UnreliableJournal, tmp_path: Path) -> Bench:
    return Bench(journal, tmp_path)


async def test_why_a_release_is_not_offered_is_dismissed_for_24_hours_and_over_a_restart(bench: Bench) -> None:
    with_update(bench)
    await bench.checker.check(bench.app("minimum_age: 20d"))
    for _ in range(2):  # pressed twice, or by two people
        assert await bench.checker.dismiss(APP, "v2") is None
    held_back = bench.checker.held_back(APP)
    assert held_back is not None
    assert held_back.release.version == "v2"

    after = again(bench)
    dismissed = [bench.checker.remembered.is_dismissed(APP, "v2"), after.checker.remembered.is_dismissed(APP, "v2")]
    after.elapsed_s += DISMISSED_FOR_S

    assert dismissed == [True, True]
    assert not after.checker.remembered.is_dismissed(APP, "v2")
    assert bench.kinds().count("dismissed") == 1


async def test_what_came_after_the_version_that_a_person_saw_is_not_dismissed_with_it(bench: Bench) -> None:
    with_update(bench)
    bench.source.publish()
    await bench.checker.check(bench.app())
    with pytest.raises(Refused, match="v2 of shop is not shown any more"):
        await bench.checker.dismiss(APP, "v2")
    assert bench.checker.known(APP) is not None

    await bench.checker.dismiss(APP, "v3")
    # Somebody else did the same a moment ago.
    await bench.checker.dismiss(APP, "v3")

    assert bench.checker.known(APP) is None
    assert bench.kinds().count("dismissed") == 1
