"""The order of versions: the published cases of Semantic Versioning 2.0.0 and of PEP 440."""

from __future__ import annotations

import random
from functools import cmp_to_key
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version as PythonVersion
from semver import Version as SemanticVersion

from orchestrator.sources.versions import compare, is_in, is_version, newest_first

SEMANTIC = [
    "1.0.0-0.3.7", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.2.3-4", "1.2.3", "2.0.0", "2.1.0", "2.1.1", "2.9.0", "2.10.0",
    "2.11.0",
]  # fmt: skip
"""Ascending: https://semver.org/#spec-item-11 and its examples."""
PYTHON = [
    "1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12.dev456", "1.0a12", "1.0b1.dev456", "1.0b2",
    "1.0b2.post345.dev456", "1.0b2.post345", "1.0rc1.dev456", "1.0rc1", "1.0", "1.0+abc.5", "1.0+abc.7", "1.0+5",
    "1.0.post456.dev34", "1.0.post456", "1.0.15", "1.1.dev1", "2013.10", "2014.04", "1!1.0", "1!1.1", "1!2.0",
]  # fmt: skip
"""Ascending: https://peps.python.org/pep-0440/#summary-of-permitted-suffixes-and-relative-ordering, and its epochs."""


@pytest.mark.parametrize("ascending", [SEMANTIC, PYTHON], ids=["semantic", "python"])
def test_versions_are_ordered_as_their_scheme_says(ascending: list[str]) -> None:
    shuffled = random.Random(1).sample(ascending, len(ascending))

    assert newest_first(shuffled) == ascending[::-1]
    for earlier, later in pairwise(ascending):
        assert (compare(earlier, later) or 0) < 0, (earlier, later)
        assert (compare(later, earlier) or 0) > 0, (earlier, later)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0.0+build.1", "1.0.0+build.2"), ("v1.2.3", "1.2.3"), ("1.0", "1.0.0"), ("1.0a1", "1.0.alpha1"), ("V2.0", "2")],
)
def test_versions_that_are_as_high(one: str, other: str) -> None:
    assert compare(one, other) == 0


@pytest.mark.parametrize(
    "text", ["", "v", "main", "latest", "0123456789abcdef0123456789abcdef01234567", "1..2", "1.2.3-é"]
)
def test_what_is_no_version_has_no_order(text: str) -> None:
    assert compare(text, "1.0.0") is None
    assert newest_first([text, "1.0.0"]) == ["1.0.0"]


def test_among_versions_of_both_schemes_the_order_is_that_of_the_wider_one() -> None:
    assert newest_first(["1.2.3", "1.2.3.1", "v1.3", "1.2.3rc1"]) == ["v1.3", "1.2.3.1", "1.2.3", "1.2.3rc1"]


DESCRIBED = ["1.2.0-rc.1", "1.2.0-rc.1-2-g1234567", "1.2.0", "v1.2.0-9-g1234567", "1.2.0-10-g0123abc", "1.2.1", "1.3"]
"""Ascending: what git-describe(1) calls the commits after a tag."""


def test_commits_after_a_tag_come_after_it_by_their_number() -> None:
    assert newest_first(random.Random(1).sample(DESCRIBED, len(DESCRIBED))) == DESCRIBED[::-1]
    for earlier, later in pairwise(DESCRIBED):
        assert (compare(earlier, later) or 0) < 0, (earlier, later)


def test_of_two_commits_as_many_after_a_tag_it_is_not_known_which_came_first() -> None:
    assert compare("1.2.0-9-g1234567", "1.2.0-9-g7654321") is None
    assert compare("v1.2.0-9-g1234567", "1.2.0-9-g1234567-dirty") == 0


VALID = [
    "0.0.4",
    "1.2.3",
    "10.20.30",
    "1.1.2-prerelease+meta",
    "1.1.2+meta",
    "1.1.2+meta-valid",
    "1.0.0-alpha",
    "1.0.0-beta",
    "1.0.0-alpha.beta",
    "1.0.0-alpha.beta.1",
    "1.0.0-alpha.1",
    "1.0.0-alpha0.valid",
    "1.0.0-alpha.0valid",
    "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay",
    "1.0.0-rc.1+build.1",
    "2.0.0-rc.1+build.123",
    "1.2.3-beta",
    "10.2.3-DEV-SNAPSHOT",
    "1.2.3-SNAPSHOT-123",
    "1.0.0",
    "2.0.0",
    "1.1.7",
    "2.0.0+build.1848",
    "2.0.1-alpha.1227",
    "1.0.0-alpha+beta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
    "1.2.3----R-S.12.9.1--.12+meta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12",
    "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
    "99999999999999999999999.999999999999999999.99999999999999999",
    "1.0.0-0A.is.legal",
]
INVALID = [
    "1",
    "1.2",
    "1.2.3-0123",
    "1.2.3-0123.0123",
    "1.1.2+.123",
    "+invalid",
    "-invalid",
    "-invalid+invalid",
    "-invalid.01",
    "alpha",
    "alpha.beta",
    "alpha.beta.1",
    "alpha.1",
    "alpha+beta",
    "alpha_beta",
    "alpha.",
    "alpha..",
    "beta",
    "1.0.0-alpha_beta",
    "-alpha.",
    "1.0.0-alpha..",
    "1.0.0-alpha..1",
    "1.0.0-alpha...1",
    "1.0.0-alpha....1",
    "1.0.0-alpha.....1",
    "1.0.0-alpha......1",
    "1.0.0-alpha.......1",
    "01.1.1",
    "1.01.1",
    "1.1.01",
    "1.2.3.DEV",
    "1.2-SNAPSHOT",
    "1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788",
    "1.2-RC-SNAPSHOT",
    "-1.0.3-gamma+b7718",
    "+justmeta",
    "9.8.7+meta+meta",
    "9.8.7-whatever+meta+meta",
    "99999999999999999999999.999999999999999999.99999999999999999----RC-SNAPSHOT.12.09.1--------------------------------..12",
]
"""The lists that https://semver.org names for its regular expression (https://regex101.com/r/vkijKf/1/)."""


@pytest.mark.parametrize("version", VALID)
def test_what_semantic_versioning_calls_valid_has_its_order(version: str) -> None:
    assert is_version(version)
    for other in SEMANTIC:
        assert compare(version, other) == SemanticVersion.parse(version).compare(other)


@pytest.mark.parametrize("version", INVALID)
def test_what_semantic_versioning_calls_invalid_is_a_version_only_where_python_says_so(version: str) -> None:
    try:
        python = PythonVersion(version)
    except ValueError:
        assert not is_version(version)
    else:
        assert compare(version, str(python)) == 0 or SemanticVersion.is_valid(str(python))
        assert is_version(version)


NUMBERS = st.integers(0, 3).map(str)
RELEASES = st.lists(NUMBERS, min_size=1, max_size=4).map(".".join)
WORDS = st.sampled_from(["a", "alpha", "b", "beta", "rc", "rc1", "dev", "0", "1", "2", "10", "x-1"])
SEMANTIC_ONES = st.builds(
    lambda release, pre, build: release + (f"-{'.'.join(pre)}" if pre else "") + build,
    st.tuples(NUMBERS, NUMBERS, NUMBERS).map(".".join),
    st.lists(WORDS, max_size=3),
    st.sampled_from(["", "+1", "+abc.5"]),
)
PYTHON_ONES = st.builds(
    lambda epoch, release, pre, post, dev, local: epoch + release + pre + post + dev + local,
    st.sampled_from(["", "", "1!"]),
    RELEASES,
    st.sampled_from(["", "a1", "b2", "rc1", "rc2", "rc10", "-rc.1", "c3"]),
    st.sampled_from(["", ".post0", ".post1", "-1"]),
    st.sampled_from(["", ".dev0", ".dev2"]),
    st.sampled_from(["", "+1", "+abc.5", "+abc.7"]),
)
ANY = SEMANTIC_ONES | PYTHON_ONES | SEMANTIC_ONES.map(lambda text: f"v{text}")


def order(one: str, other: str) -> int:
    found = compare(one, other)
    assert found is not None, (one, other)
    return found


@given(ANY, ANY, ANY)
def test_versions_of_all_schemes_have_one_order(one: str, two: str, three: str) -> None:
    assert order(one, one) == 0
    assert order(one, two) == -order(two, one)
    if order(one, two) <= 0 and order(two, three) <= 0:
        assert order(one, three) <= 0
        assert (order(one, three) == 0) == (order(one, two) == 0 and order(two, three) == 0)


@given(SEMANTIC_ONES, SEMANTIC_ONES)
def test_versions_of_semantic_versioning_have_the_order_of_its_library(one: str, two: str) -> None:
    assert compare(one, two) == SemanticVersion.parse(one).compare(two)


@given(PYTHON_ONES, PYTHON_ONES)
def test_versions_of_pep_440_alone_have_the_order_of_its_library(one: str, two: str) -> None:
    left, right = PythonVersion(one), PythonVersion(two)
    if not (SemanticVersion.is_valid(one) or SemanticVersion.is_valid(two)):
        assert compare(one, two) == (left > right) - (left < right)


@given(st.lists(ANY | st.sampled_from(["main", "", "latest"]), max_size=12))
def test_the_newest_first_are_in_the_order_that_comparing_says(versions: list[str]) -> None:
    found = newest_first(versions)

    assert sorted(found) == sorted(version for version in versions if is_version(version))
    assert all(order(newer, older) >= 0 for newer, older in pairwise(found))
    assert [order(a, b) for a, b in zip(found, sorted(found, key=cmp_to_key(order), reverse=True), strict=True)] == [
        0 for _ in found
    ]


def test_the_example_of_two_orders_that_contradict_each_other_is_settled() -> None:
    """By two schemes 1.2.3-4 < 1.2.3 = 1.2.3.0 < 1.2.3-4."""
    assert compare("1.2.3-4", "1.2.3.0") == compare("1.2.3-4", "1.2.3") == -1
    assert newest_first(["1.2.3-4", "1.2.3.0", "1.2.3-3"]) == ["1.2.3.0", "1.2.3-4", "1.2.3-3"]
    assert compare("1.0.0-rc.2", "1.0rc2") == 0


@pytest.mark.parametrize(
    ("text", "wanted", "is_of_it"),
    [
        ("1.2.3", ">=1.2,<2", True),
        ("v1.2.3", ">=1.2,<2", True),
        ("2.0.0", ">=1.2,<2", False),
        ("2.0rc1", ">=1.2", False),
        ("2.0.dev1", ">=1.2", False),
        ("2.0.0-rc.1", ">=1.2", False),
        ("1.2.3-4", ">=1.2", False),
        ("2.0rc1", "==2.0rc1", True),
        ("2.0rc2", ">=2.0rc1", True),
        ("2.0.0-rc.1", "==2.0.0rc1", True),
        ("latest", ">=1.2", False),
    ],
)
def test_a_range_has_pre_releases_only_if_it_names_one(text: str, wanted: str, is_of_it: bool) -> None:
    assert is_in(text, SpecifierSet(wanted)) is is_of_it
