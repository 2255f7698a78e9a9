"""Which pushes an app follows, by its source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import loader
from orchestrator.pushes.announcement import Announcement, Image, Images, Other, Ping, Published, Push, UnreadImages
from orchestrator.pushes.followed import _matches, why_not_followed

MAIN, DEV, TAG = Push("refs/heads/main", "main"), Push("refs/heads/dev", "main"), Push("refs/tags/v1.2.0", "main")
STABLE = Images((Image("shop", "stable"),))
REGISTRY = "source: registry, registry: {image: registry.test/shop, %s}"
PYPI = "source: pypi, pypi: {package_name: shop}"


@pytest.mark.parametrize(
    ("update", "announcement", "is_followed"),
    [
        ("git: {remote: /shop, branch: main}", MAIN, True),
        ("git: {remote: /shop, branch: main}", DEV, False),
        ("git: {remote: /shop, branch: main}", TAG, False),
        ("git: {remote: /shop, branch: main}", Push("refs/heads/main", "main", deleted=True), False),
        ("git: {remote: /shop, branch: v1.2.0}", TAG, True),
        ("git: {remote: /shop, branch: team/main}", Push("refs/heads/team/main", "x"), True),
        ("git: {remote: /shop}", MAIN, True),
        ("git: {remote: /shop}", DEV, False),
        ("git: {remote: /shop}", Push("refs/heads/dev"), True),
        ("git: {remote: /shop, branch: main}", Push(), True),
        ('git: {remote: /shop, tags: "v*"}', TAG, True),
        ('git: {remote: /shop, tags: "v*"}', MAIN, False),
        ('git: {remote: /shop, tags: "w*"}', TAG, False),
        ('git: {remote: /shop, tags: "v?.2.0"}', TAG, True),
        ('git: {remote: /shop, tags: "shop/*"}', Push("refs/tags/shop/1"), True),
        ('git: {remote: /shop, tags: "shop"}', Push("refs/tags/shop/1"), True),
        ('git: {remote: /shop, tags: "*"}', Push("refs/tags/shop/1"), True),
        ('git: {remote: /shop, tags: "v[0-9]"}', Push("refs/tags/w"), True),
        ("git: {remote: /shop}", Ping(), False),
        ("git: {remote: /shop}", Other("the event 'issues'"), False),
        ("git: {remote: /shop}", Published(), False),
        ("git: {remote: /shop}", STABLE, False),
        (PYPI, Published(), True),
        (PYPI, MAIN, True),
        (PYPI, STABLE, False),
        (REGISTRY % "tag: stable", STABLE, True),
        (REGISTRY % "tag: latest", STABLE, False),
        (REGISTRY % 'version_range: ">=1"', Images((Image("shop", "1.2"),)), True),
        (REGISTRY % "tag: stable", Images((Image("other", "stable"), Image("shop", "stable"))), True),
        (REGISTRY % "tag: stable", Images((Image("me/shop", "stable"),)), False),
        (REGISTRY % "tag: stable", Images((), ("shop",)), False),
        (REGISTRY % "tag: stable", UnreadImages(), True),
        ("source: git", UnreadImages(), False),
        (REGISTRY % "tag: stable, cosign_key: cosign.pub", Images((), ("shop",)), True),
        (REGISTRY % "tag: stable, cosign_key: cosign.pub", Images((), ("other",)), False),
        (REGISTRY % "tag: stable", MAIN, False),
        (REGISTRY % "tag: stable", Published(), True),
    ],
)
def test_an_app_follows_what_its_source_has(update: str, announcement: Announcement, is_followed: bool) -> None:
    text = f"apps:\n  shop:\n    update: {{{update}}}\n    route: {{host: shop.test}}\n"
    policy = loader.parse(text, "c.yaml").config.apps["shop"].update

    assert (why_not_followed(policy, announcement) == "") is is_followed


def naively(tag: str, pattern: str) -> bool:
    """Whether the tag, or a part of it that ends before a `/`, is matched: each place that a `*` may end is tried."""
    if not pattern:
        return tag[:1] in ("", "/")
    if pattern[0] == "*":
        return naively(tag, pattern[1:]) or (tag[:1] not in ("", "/") and naively(tag[1:], pattern))
    return (
        tag[:1] != ""
        and (tag[0] == pattern[0] or (pattern[0] == "?" and tag[0] != "/"))
        and naively(tag[1:], pattern[1:])
    )


@given(st.text("ab-/", max_size=9), st.text("ab-/*?", min_size=1, max_size=7).filter(lambda one: "**" not in one))
def test_tags_are_matched_as_by_trying_each_place(tag: str, pattern: str) -> None:
    assert _matches(tag, pattern) is naively(tag, pattern)


@pytest.mark.timeout(30)
def test_a_long_tag_is_matched_in_no_time_by_a_pattern_with_many_stars() -> None:
    """Whoever has the secret, or pushes a tag, would keep the orchestrator from everything else for years."""
    assert not _matches("-" * 100_000, "*-*-*-*-*-*-*-*-*-*-*x")
