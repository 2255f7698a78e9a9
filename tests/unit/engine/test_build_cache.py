"""BuildKit is asked to reduce its cache as often as it may be too large, and not in each deployment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import docker
import pytest

from orchestrator.engine.docker.build_cache import CALLS_WITHOUT, BuildCache

MIB = 1024 * 1024


class BuildKit:
    """A cache to which each build adds; it removes what is over the limit."""

    def __init__(self, size: int = 0) -> None:
        self.api = self
        self.size, self.asked = size, 0

    def prune_builds(self, keep_storage: int) -> dict[str, object]:
        self.asked += 1
        over = max(0, self.size - keep_storage)
        self.size -= over
        return {"CachesDeleted": ["a"] if over else None, "SpaceReclaimed": over}


def build(kit: BuildKit, cache: BuildCache, times: int, *, adds: int = MIB, limit: int = 100 * MIB) -> None:
    for _ in range(times):
        kit.size += adds
        cache.reduce(cast(docker.DockerClient, kit), limit)


def test_a_cache_below_its_limit_is_read_once_in_five_deployments() -> None:
    kit = BuildKit()

    build(kit, BuildCache(), 50)

    assert kit.asked == 10


def test_a_cache_that_grows_over_its_limit_is_reduced_after_each_deployment() -> None:
    kit, cache = BuildKit(100 * MIB), BuildCache()

    for _ in range(10):
        build(kit, cache, 1)
        assert kit.size == 100 * MIB


@pytest.mark.parametrize("adds", [1, MIB, 30 * MIB])
def test_it_is_over_its_limit_by_no_more_than_what_the_calls_between_have_added(adds: int) -> None:
    kit, cache = BuildKit(), BuildCache()

    for _ in range(200):
        build(kit, cache, 1, adds=adds)
        assert kit.size <= 100 * MIB + CALLS_WITHOUT * adds


def test_another_limit_holds_at_once() -> None:
    kit, cache = BuildKit(50 * MIB), BuildCache()
    build(kit, cache, 2)

    build(kit, cache, 1, limit=10 * MIB)

    assert kit.size == 10 * MIB


def test_a_call_that_fails_is_no_answer() -> None:
    kit, cache = BuildKit(200 * MIB), BuildCache()

    def away(**_: object) -> None:
        raise ConnectionError("the engine is gone")

    gone = cast(docker.DockerClient, SimpleNamespace(api=SimpleNamespace(prune_builds=away)))
    with pytest.raises(ConnectionError):
        cache.reduce(gone, 100 * MIB)
    build(kit, cache, 1)

    assert kit.size == 100 * MIB
