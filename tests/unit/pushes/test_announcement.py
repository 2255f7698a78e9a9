"""What deliveries say, of every event that GitHub publishes, and of bodies that no forge sends."""

from __future__ import annotations

import json
import lzma
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.push_check import Forge
from orchestrator.pushes.announcement import (
    MOST_EVENTS,
    Image,
    Images,
    Other,
    Ping,
    Published,
    Push,
    UnreadImages,
    announced,
    identifier,
)
from tests.support.forges import delivery, git_push, image_push
from tests.support.paths import ROOT

NO_TAG = Other("a notification without a push of an image's tag")
NOTHING, COMMIT = "0" * 40, "b" * 40
GITLAB_PUSH = {
    "object_kind": "push", "event_name": "push", "before": "95790bf891e76fee5e1747ab589903a6a1f80f22",
    "after": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "ref": "refs/heads/master", "ref_protected": True,
    "checkout_sha": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", "user_id": 4, "project_id": 15,
    "project": {"id": 15, "name": "Diaspora", "default_branch": "master", "path_with_namespace": "mike/diaspora"},
    "repository": {"name": "Diaspora", "url": "git@example.com:mike/diaspora.git"}, "commits": [],
    "total_commits_count": 4,
}  # fmt: skip
"""The fields of GitLab's documentation, "Webhook events"."""
GITLAB_TAG = GITLAB_PUSH | {"object_kind": "tag_push", "event_name": "tag_push", "ref": "refs/tags/v1"}
GITEA_PUSH = {
    "ref": "refs/heads/develop", "before": "28e1879d029cb852e4844d9c718537df08844e03",
    "after": "bffeb74224043ba2feb48d137756c8a9331c449a",
    "compare_url": "http://localhost:3000/gitea/webhooks/compare/28e18...bffeb", "commits": [],
    "repository": {"id": 140, "full_name": "gitea/webhooks", "private": False, "default_branch": "master"},
    "pusher": {"id": 1, "login": "gitea"}, "sender": {"id": 1, "login": "gitea"},
}  # fmt: skip
"""The fields of Gitea's documentation, "Webhooks"; Forgejo's has the same."""


@cache
def github() -> dict[str, list[dict[str, Any]]]:
    """Octokit's examples, by event."""
    file = ROOT / "tests" / "support" / "octokit-webhooks-examples.json.xz"
    found: dict[str, list[dict[str, Any]]] = json.loads(lzma.decompress(file.read_bytes()))
    assert len(found) == 58
    return found


@pytest.mark.parametrize("event", sorted(github()))
def test_each_event_of_github_is_understood(event: str) -> None:
    for content in github()[event]:
        sent = delivery(Forge.GITHUB, content, event=event)
        found = announced(Forge.GITHUB, sent.headers, sent.body)

        if event == "push":
            assert found == Push(content["ref"], content["repository"]["default_branch"], content["deleted"])
        elif event in ("release", "package"):
            assert found == Published()
        else:
            assert found == (Ping() if event == "ping" else Other(f"the event '{event}'"))


@pytest.mark.parametrize(
    ("forge", "content", "event", "found"),
    [
        (Forge.GITLAB, GITLAB_PUSH, "push", Push("refs/heads/master", "master")),
        (Forge.GITLAB, GITLAB_PUSH, "System Hook", Push("refs/heads/master", "master")),
        (Forge.GITLAB, GITLAB_PUSH | {"after": NOTHING}, "push", Push("refs/heads/master", "master", deleted=True)),
        (Forge.GITLAB, GITLAB_TAG, "tag_push", Push("refs/tags/v1", "master")),
        (Forge.GITLAB, {"object_kind": "issue"}, "Issue Hook", Other("the event 'issue'")),
        (Forge.GITLAB, {}, "Release Hook", Published()),
        (Forge.GITEA, GITEA_PUSH, "push", Push("refs/heads/develop", "master")),
        (Forge.GITEA, GITEA_PUSH | {"after": "0" * 64}, "push", Push("refs/heads/develop", "master", deleted=True)),
        (Forge.GITEA, {"ref": "v1", "ref_type": "tag"}, "create", Other("the event 'create'")),
        (Forge.FORGEJO, GITEA_PUSH, "push", Push("refs/heads/develop", "master")),
        (Forge.REGISTRY, image_push(), "", Images((Image("shop", "stable"),))),
        (Forge.REGISTRY, image_push(action="pull"), "", NO_TAG),
        (Forge.REGISTRY, image_push(tag=f"sha256-{'a' * 64}.sig"), "", Images((), ("shop",))),
        (Forge.REGISTRY, image_push(tag=f"sha256-{'a' * 64}.att"), "", NO_TAG),
        (Forge.REGISTRY, image_push(tag=f"sha256-{'a' * 64}"), "", NO_TAG),
        (Forge.REGISTRY, image_push(tag=""), "", NO_TAG),
    ],
)  # fmt: skip
def test_what_the_others_document_is_understood(forge: Forge, content: object, event: str, found: object) -> None:
    sent = delivery(forge, content, event=event)

    assert announced(forge, sent.headers, sent.body) == found


def test_the_form_that_github_sends_by_default_is_read() -> None:
    body = urlencode({"payload": json.dumps(git_push())}).encode()
    sent = delivery(Forge.GITHUB, body).with_headers(content_type="application/x-www-form-urlencoded")

    assert announced(Forge.GITHUB, sent.headers, sent.body) == Push("refs/heads/main", "main")


def test_a_body_that_is_too_long_to_be_read_is_a_push_of_something() -> None:
    sent = delivery(Forge.GITHUB, git_push())

    assert announced(Forge.GITHUB, sent.headers, None) == Push()


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from(["ref", "after", "deleted", "repository", "project", "events", "object_kind", "event_name"])


@given(st.sampled_from(Forge), st.dictionaries(FIELDS, ANY), st.sampled_from(["push", "Push Hook", "ping", "", "\x00"]))
def test_wrong_types_are_no_error(forge: Forge, content: dict[str, object], event: str) -> None:
    body = json.dumps(content).encode()
    headers = delivery(forge, body, event=event).headers

    announced(forge, headers, body)
    identifier(forge, headers, body)


@pytest.mark.parametrize("forge", Forge)
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"push"', b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000,
     b'{"ref": NaN}',
     b'{"events": [null, 1, {"target": []}, {"action": "push", "target": {"repository": {}}}]}', b'{"ref": "\\ud800"}'],
)  # fmt: skip
def test_a_body_that_nobody_sends_is_no_error(forge: Forge, body: bytes) -> None:
    headers = delivery(forge, body).headers

    for one in (headers, headers | {"content-type": "application/x-www-form-urlencoded"}):
        announced(forge, one, body)
        identifier(forge, one, body)


@pytest.mark.parametrize("body", [None, json.dumps({"events": [{}] * (MOST_EVENTS + 1)}).encode()])
def test_many_notifications_of_a_registry_together_are_a_push_of_something(body: bytes | None) -> None:
    """Which images it was is not known: the source knows. They were all lost."""
    assert announced(Forge.REGISTRY, {}, body) == UnreadImages()
