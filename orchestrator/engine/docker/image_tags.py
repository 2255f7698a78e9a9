"""The names of images: which one has a name, the tags of an app's images, and their removal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, TypeVar

import docker
from docker.errors import APIError, NotFound

from orchestrator.engine.local_image import LocalImage
from orchestrator.engine.own_images import is_own

T = TypeVar("T")


class Call(Protocol):
    """Asks the engine beside the event loop."""

    def __call__(self, ask: Callable[[docker.DockerClient], T], /) -> Awaitable[T]: ...


def find_image(client: docker.DockerClient, name: str) -> LocalImage | None:
    """The image of this name or id, if the engine has it."""
    try:
        about: dict[str, Any] = client.api.inspect_image(name)  # type: ignore[no-untyped-call]
    except NotFound:
        return None
    labels = (about.get("Config") or {}).get("Labels") or {}
    tags = tuple(str(tag) for tag in about.get("RepoTags") or ())
    return LocalImage(str(about["Id"]), tags, labels, str(about.get("Created") or ""))


def tagged(client: docker.DockerClient, name: str) -> set[str]:
    """The digests of the images from which `remove_tags` may remove a tag."""
    return {str(image["Id"]) for image in client.api.images(name) if _tags_of(image, name)}


async def remove_tags(call: Call, name: str, keep: set[str]) -> list[str]:
    """Remove every tag of the repository `name`, except for images whose digest is in `keep` or that a container uses.

    An image has tags of other repositories, too: a person's, another app's with the same content, or those of the base
    image that it adds nothing to. They stay, and so do our own images, whatever the app is called. An image that a
    container uses is removed by a later call. Returns the removed tags.

    Each is a call of its own, which may take seconds: whoever cancels this, such as a rollback, waits for one of them.
    """
    tags = await call(partial(_removable, name=name, keep=keep))
    return [tag for tag in tags if await call(partial(_remove, tag=tag))]


def _removable(client: docker.DockerClient, name: str, keep: set[str]) -> list[str]:
    # Not `images.list`, which looks at each image once more: others remove theirs meanwhile.
    return [tag for image in client.api.images(name) if image["Id"] not in keep for tag in _tags_of(image, name)]


def _remove(client: docker.DockerClient, tag: str) -> bool:
    """False if it is gone already, or in use."""
    try:
        client.images.remove(tag)
    except APIError as error:
        if error.status_code not in (404, 409):
            raise
        return False
    return True


def _tags_of(image: dict[str, Any], name: str) -> list[str]:  # Any: an image as the engine describes it
    return [tag for tag in image["RepoTags"] or () if tag.startswith(f"{name}:") and not is_own(tag)]
