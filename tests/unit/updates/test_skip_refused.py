"""A version that is live, or that the source does not have, is not skipped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.deploy.crashed_standby import Crash
from orchestrator.domain.release import Release
from orchestrator.errors import Refused, UnknownVersion
from orchestrator.sources.base import SourceVersion
from orchestrator.updates.listed_versions import Listed, VersionLists
from orchestrator.updates.remembered import LONGEST, is_same


class Lists(VersionLists):
    """With a source that has two versions."""

    def __init__(self) -> None:
        self.asked = 0

    async def of(self, context: Any) -> tuple[Listed, ...]:
        self.asked += 1
        return tuple(Listed(SourceVersion(name, f"ref-{name}", None), "") for name in ("v2.0", "v1.0"))


def shop(live: str) -> Any:
    active = SimpleNamespace(release=Release(live, "0" * 40)) if live else None
    return SimpleNamespace(name="shop", active=active, standby=None)


@pytest.mark.parametrize("version", ["v1.0", "1.0"])
async def test_the_live_version_is_refused_without_asking_the_source(version: str) -> None:
    lists = Lists()

    with pytest.raises(Refused, match="of shop is live"):
        await lists.refuse_skip(shop("v1.0"), version, "", None)

    assert lists.asked == 0


@pytest.mark.parametrize(
    ("standby", "crash", "says"),
    [
        (
            None,
            None,
            "There is no standby to roll back to; deploy another release. List them: changeover versions shop",
        ),
        (SimpleNamespace(version="v0.9"), None, "To go back to v0.9: changeover rollback shop"),
        (
            SimpleNamespace(version="v0.9"),
            Crash("v0.9 crashed when it was live."),
            "v0.9 crashed when it was live. Do not roll back to it; deploy another release. "
            "List them: changeover versions shop",
        ),
    ],
)
async def test_who_wants_to_leave_the_live_version_is_told_where_that_leads(
    standby: Any, crash: Any, says: str
) -> None:
    context = shop("v1.0")
    context.standby = standby

    with pytest.raises(Refused) as refused:
        await Lists().refuse_skip(context, "v1.0", "", crash)

    assert refused.value.remedy == says


@pytest.mark.parametrize("version", ["v2.0", "2.0", "ref-v2.0"])
async def test_a_version_that_the_source_has_is_not_refused(version: str) -> None:
    await Lists().refuse_skip(shop(""), version, "", None)


async def test_what_a_check_found_is_known_although_the_source_lists_only_tags() -> None:
    await Lists().refuse_skip(shop("v1.0"), "v2.0-3-gabcdef", "v2.0-3-gabcdef", None)


@pytest.mark.parametrize("version", ["v3.0", "2", "x"])
async def test_an_unknown_version_is_refused_with_what_is_known(version: str) -> None:
    with pytest.raises(UnknownVersion, match=r"has no version .*Its newest: v2\.0, v1\.0\."):
        await Lists().refuse_skip(shop("v1.0"), version, "v2.0", None)


def test_a_version_that_is_longer_than_what_is_remembered_is_the_same_as_itself() -> None:
    long = f"v1.0.0-{'a' * 2 * LONGEST}"

    assert is_same(long, long)
    assert is_same(long, long[1:LONGEST])
