"""The order of versions: the published cases of Semantic Versioning 2.0.0 and of PEP 440."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from orchestrator.sources.versions import compare, newest_first

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
