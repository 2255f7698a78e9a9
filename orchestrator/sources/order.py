"""Which of two releases came first, by their versions: for what their source does not know."""

from __future__ import annotations

import re

from orchestrator.domain.by_hand import digits_of, is_by_hand
from orchestrator.domain.release import Release
from orchestrator.domain.source_names import is_commit
from orchestrator.sources.versions import SEMVER, Scheme, compare, tag_of

_WITHOUT_TAG = re.compile(r"v0\.0\.\d+-g[0-9a-f]+")


def comes_before(release: Release, live: Release, scheme: Scheme = SEMVER) -> bool:
    """Whether the release is an older one than `live`; False where their versions do not say it.

    A registry does not know which digest came first, and no source knows the revisions of another kind of source. Of
    commits only the repository knows it: branches may have versions of their own. It knows nothing of what was deployed
    by hand.
    """
    if is_commit(release.source_revision) and not is_by_hand(live.source_revision):
        return False
    order = compare(*_numbers(release, live), scheme)
    return order is not None and order < 0


def is_known_to_be_newer(release: Release, live: Release) -> bool:
    """Whether their versions say that the release comes after `live`."""
    order = compare(*_numbers(release, live))
    return order is not None and order > 0


def _numbers(one: Release, other: Release) -> tuple[str, str]:
    """The versions of both. If one of them is a commit, those of the tags before them: how many commits come after a
    tag orders no commits of several branches."""
    numbers = _number(one), _number(other)
    if is_commit(one.source_revision) or is_commit(other.source_revision):
        return tag_of(numbers[0]), tag_of(numbers[1])
    return numbers


def _number(release: Release) -> str:
    """The version; empty where it is made of the revision or a number of commits."""
    revision = release.source_revision
    if revision != release.version and digits_of(revision).startswith(release.version):
        return ""
    return "" if is_commit(revision) and _WITHOUT_TAG.fullmatch(release.version) else release.version
