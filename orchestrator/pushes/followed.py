"""Whether an app follows what a push announces.

Which repository it was, and which folders were changed, is left to the app's source: it is asked for its newest
release, and says that there is nothing new.
"""

from __future__ import annotations

import re

from orchestrator.config.source_schema import GitSource, RegistrySource
from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.domain.image_name import image_name
from orchestrator.pushes.announcement import Announcement, Images, Other, Ping, Published, Push, UnreadImages

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_NO_IMAGE = "it follows no image of a registry"


def why_not_followed(update: UpdatePolicy, announcement: Announcement) -> str:
    """Why the source is not asked for it, as a part of a sentence; empty if it is asked."""
    match announcement:
        case Ping():
            return "it only asks whether the hook works"
        case Other(what=what):
            return f"{what} is no push"
        case Images():
            return _why_no_image(update, announcement)
        case UnreadImages():
            return "" if update.source == "registry" else _NO_IMAGE
        case Published():
            return "it follows a repository, and this is no push of commits" if update.source == "git" else ""
        case Push() if update.source == "registry":
            return "it follows an image of a registry, and not a repository"
        case Push() if update.source == "git":
            return _why_no_push(update.git, announcement)
        case Push():
            return ""


def _why_no_push(git: GitSource, push: Push) -> str:
    if push.deleted:
        return f"{push.ref[:100] or 'what it names'} was deleted"
    if not push.ref:
        return ""  # not said: the source knows
    if git.tags is not None:
        is_followed = push.ref.startswith(_TAGS) and _matches(push.ref.removeprefix(_TAGS), git.tags)
        return "" if is_followed else f"{push.ref[:100]} is no tag that matches {git.tags}"
    branch = git.branch or push.default_branch
    names = {branch, f"{_HEADS}{branch}", f"{_TAGS}{branch}"}
    return "" if not branch or push.ref in names else f"it follows {branch[:100]}, and this is {push.ref[:100]}"


def _matches(tag: str, pattern: str) -> bool:
    """As git matches (`for-each-ref`): `*` and `?` stand for anything but `/`. A pattern may end before one.

    Where the two could differ, as for brackets and `**`, the source is asked.
    """
    if "[" in pattern or "**" in pattern:
        return True
    first, *others = re.split(r"\*+", pattern)
    expression = _fixed(first)
    for one in others[:-1]:
        # Where it comes first is where it is taken, and never another place: else a long tag takes for ever.
        expression += f"(?>[^/]*?{_fixed(one)})"
    if others:
        expression += f"[^/]*{_fixed(others[-1])}"
    return bool(re.fullmatch(f"{expression}(/.*)?", tag, re.DOTALL))


def _fixed(pattern: str) -> str:
    return "".join("[^/]" if one == "?" else re.escape(one) for one in pattern)


def _why_no_image(update: UpdatePolicy, pushed: Images) -> str:
    registry = update.registry if update.source == "registry" else None
    if registry is None:
        return _NO_IMAGE
    mine = image_name(registry.image).repository
    if any(one.repository == mine and _is_tag(registry, one.tag) for one in pushed.images):
        return ""
    if registry.cosign_key and mine in pushed.signed:
        return ""  # an image is pushed first, and may be used only now
    if not pushed.images:
        return "a signature is no push of an image's tag"
    first = pushed.images[0]
    return (
        f"it follows {mine}:{registry.version_range or registry.tag}, and this is "
        f"{first.repository[:100]}:{first.tag[:100]}"
    )


def _is_tag(registry: RegistrySource, tag: str) -> bool:
    """With a range of versions the source decides."""
    return registry.version_range is not None or tag == registry.tag
