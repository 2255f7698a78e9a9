"""Which of two releases came first, by their versions."""

from __future__ import annotations

import pytest

from orchestrator.domain.release import Release
from orchestrator.sources.order import comes_before, is_known_to_be_newer
from orchestrator.sources.versions import Scheme

ARCHIVE = "archive:sha256:" + "12345678" * 8
COMMIT, DIGEST = "12345678" * 5, "sha256:" + "1234567a" * 8


@pytest.mark.parametrize(
    ("release", "live", "is_older"),
    [
        (("1.2", DIGEST), ("1.3", "sha256:" + "b" * 64), True),
        (("1.3", DIGEST), ("1.2", "sha256:" + "b" * 64), False),
        (("1.3", DIGEST), ("v1.3.0", "sha256:" + "b" * 64), False),  # another image of the same version
        (("1.5", "1.5"), ("v2.0.0", COMMIT), True),
        (("2.0.0", "2.0.0"), ("v2.0.0-3-g1234567", COMMIT), False),
        (("1.9.0", "1.9.0"), ("v2.0.0-3-g1234567", COMMIT), True),
        (("0.0.1", "0.0.1"), ("v0.0.12-g1234567", COMMIT), False),  # no version, but a number of commits
        (("v1.0.0", COMMIT), ("2.0.0", "2.0.0"), False),  # only the repository knows
        (("1.2", "1.2"), ("1234567", DIGEST), False),  # digits of a digest that look like a version
        (("stable-1234567", DIGEST), ("1.3", DIGEST), False),
        (("1.2.3-4", "1.2.3-4"), ("1.2.3", "1.2.3"), True),
        (("v1.9.0-5-g1234567", COMMIT), ("2.0.0", ARCHIVE), True),  # the repository does not know what came by hand
        (("v2.1.0", COMMIT), ("2.0.0", ARCHIVE), False),
        (("v0.0.5-g1234567", COMMIT), ("2.0.0", ARCHIVE), False),  # no version, but a number of commits
        (("v1.0.0", COMMIT), ("123456781234", ARCHIVE), False),  # digits of a digest that look like a version
        (("1.2", DIGEST), ("1.3", "image:shop@" + DIGEST), True),
        (("v1.0.0-1-g1234567", ARCHIVE), ("v1.0.0", COMMIT), False),  # as docs/ci.md's shell example names it
        (("v1.0.0-1-g1234567", COMMIT), ("v1.0.0-3-g7654321", ARCHIVE), False),  # of another branch, perhaps
        (("1.2.0-3-g1234567", DIGEST), ("1.2.0", "sha256:" + "b" * 64), False),
        (("1.2.0-10-g1234567", DIGEST), ("1.2.0-9-g7654321", "sha256:" + "b" * 64), False),
        (("1.2.0-9-g7654321", DIGEST), ("1.2.0-10-g1234567", "sha256:" + "b" * 64), True),
        (("1.2.0", DIGEST), ("1.2.0-3-g1234567", ARCHIVE), True),
    ],
)
def test_by_their_versions(release: tuple[str, str], live: tuple[str, str], is_older: bool) -> None:
    assert comes_before(Release(*release), Release(*live)) is is_older


@pytest.mark.parametrize(("scheme", "is_older"), [("semver", True), ("pep440", False), ("commit", False)])
def test_by_the_scheme_that_is_set(scheme: Scheme, is_older: bool) -> None:
    """By PEP 440, 1.2.3-4 is the post-release 1.2.3.post4."""
    assert comes_before(Release("1.2.3-4", "1.2.3-4"), Release("1.2.3", "1.2.3"), scheme) is is_older


@pytest.mark.parametrize(
    ("release", "live", "is_newer"),
    [
        (("v1.0.0", "v1.0.0"), ("v1.0.0-1-g1234567", ARCHIVE), False),
        (("v1.0.1", "v1.0.1"), ("v1.0.0-1-g1234567", ARCHIVE), True),
        (("v1.0.0-2-g1234567", COMMIT), ("v1.0.0-1-g7654321", ARCHIVE), False),  # of another branch, perhaps
    ],
)
def test_what_installs_itself_in_place_of_what_came_by_hand(
    release: tuple[str, str], live: tuple[str, str], is_newer: bool
) -> None:
    assert is_known_to_be_newer(Release(*release), Release(*live)) is is_newer
