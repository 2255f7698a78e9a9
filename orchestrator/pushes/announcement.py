"""What a delivery announces, read from its headers and body.

Only the few fields that are used are looked at, each with its type: forges add others, leave some out, and write null.
What is not understood is no push; it is never an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from orchestrator.domain.push_check import Forge

EVENT_HEADERS = {
    Forge.GITHUB: ("x-github-event",),
    Forge.GITLAB: ("x-gitlab-event",),
    Forge.GITEA: ("x-gitea-event",),
    Forge.FORGEJO: ("x-forgejo-event", "x-gitea-event"),
}
ID_HEADERS = {
    Forge.GITHUB: ("x-github-delivery",),
    Forge.GITLAB: ("webhook-id", "idempotency-key", "x-gitlab-event-uuid"),
    Forge.GITEA: ("x-gitea-delivery",),
    Forge.FORGEJO: ("x-forgejo-delivery", "x-gitea-delivery"),
}
PUSHES = frozenset({"push", "push hook", "tag push hook", "tag_push"})
PUBLISHES = frozenset({"release", "release hook", "package", "registry_package"})
"""Something else than commits was published: for an app that is not built from a repository."""
EVENTS_OF_REGISTRY = "application/vnd.docker.distribution.events.v1+json"
_BRANCH = "refs/heads/"
_NO_COMMIT = re.compile("0{40}|0{64}")
_BESIDE_IMAGE = re.compile(r"sha256-[0-9a-f]{64}(\.[a-z]+)?")
"""The tags at which cosign keeps signatures, attestations and lists of parts of an image."""
_OF_SIGNATURE = ".sig"
MOST_EVENTS = 1000


@dataclass(frozen=True)
class Push:
    """Commits or a tag. An empty `ref` or `default_branch` was not said, or the body was too long to be read."""

    ref: str = ""
    default_branch: str = ""
    deleted: bool = False


@dataclass(frozen=True)
class Published:
    """A release or a package, of whatever name."""


@dataclass(frozen=True)
class Image:
    repository: str
    tag: str


@dataclass(frozen=True)
class Images:
    """What was pushed to a registry. `signed`: the repositories to which signatures of images were pushed."""

    images: tuple[Image, ...]
    signed: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnreadImages:
    """Something was pushed to a registry: the notification is too long to be read, or has too many events."""


@dataclass(frozen=True)
class Ping:
    """A forge asks whether the hook works."""


@dataclass(frozen=True)
class Other:
    """Something that is no push. `what` is for people."""

    what: str


Announcement = Push | Published | Images | UnreadImages | Ping | Other


def announced(forge: Forge, headers: Mapping[str, str], body: bytes | None) -> Announcement:
    """What a delivery announces. `body` is None where it is too long to be read."""
    if forge is Forge.REGISTRY:
        return _of_registry(body)
    event = _first(headers, EVENT_HEADERS[forge]).strip().lower()
    if event == "ping":
        return Ping()
    if event in PUBLISHES:
        return Published()
    content = _content(headers, body) if body is not None else {}
    if forge is Forge.GITLAB and event not in PUSHES:
        event = _text(content, "object_kind") or _text(content, "event_name") or event  # a system hook
    if event not in PUSHES:
        return Other(f"the event '{event[:50]}'" if event else "a delivery without the name of an event")
    if body is not None and not content:
        return Other("a body that is not a JSON object")
    return _push(content)


def identifier(forge: Forge, headers: Mapping[str, str], body: bytes | None) -> str:
    """The forge's own id of a delivery; empty if it has none."""
    if forge is not Forge.REGISTRY:
        return _first(headers, ID_HEADERS[forge])
    events = _events(body)
    return "+".join(filter(None, (_text(one, "id") for one in events)))


def _push(content: dict[str, Any]) -> Push:
    repository = content.get("repository"), content.get("project")
    branches = [_text(one, "default_branch") for one in repository if isinstance(one, dict)]
    deleted = content.get("deleted") is True or bool(_NO_COMMIT.fullmatch(_text(content, "after")))
    return Push(_text(content, "ref"), next(filter(None, branches), ""), deleted)


def _of_registry(body: bytes | None) -> Announcement:
    events = _json(body or b"").get("events")
    if body is None or (isinstance(events, list) and len(events) > MOST_EVENTS):
        return UnreadImages()
    images = [
        Image(_text(target, "repository"), _text(target, "tag"))
        for event in _events(body)
        if _text(event, "action") == "push" and isinstance(target := event.get("target"), dict)
    ]
    tagged = [one for one in images if one.repository and one.tag]
    beside = [one for one in tagged if _BESIDE_IMAGE.fullmatch(one.tag)]
    named = dict.fromkeys(one for one in tagged if one not in beside)
    signed = dict.fromkeys(one.repository for one in beside if one.tag.endswith(_OF_SIGNATURE))
    return (
        Images(tuple(named), tuple(signed))
        if named or signed
        else Other("a notification without a push of an image's tag")
    )


def _events(body: bytes | None) -> list[dict[str, Any]]:
    events = _json(body or b"").get("events")
    return [one for one in events[:MOST_EVENTS] if isinstance(one, dict)] if isinstance(events, list) else []


def _content(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The JSON of a body, or of the field `payload` of a form: GitHub's default, Gitea's other choice."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        try:
            body = parse_qs(body.decode(), max_num_fields=10).get("payload", [""])[0].encode(errors="replace")
        except ValueError:
            return {}
    return _json(body)


def _json(body: bytes) -> dict[str, Any]:
    """The object; an empty one for anything else, however deep it is nested."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(content: Mapping[str, Any], key: str) -> str:
    found = content.get(key)
    return found if isinstance(found, str) else ""


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((headers[name] for name in names if headers.get(name)), "")
