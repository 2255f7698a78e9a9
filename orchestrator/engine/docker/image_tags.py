"""The names of images: which one has a name, the tags of an app's images, and their removal."""

from __future__ import annotations

from typing import Any

import docker
from docker.errors import APIError, NotFound

from orchestrator.engine.local_image import LocalImage
from orchestrator.engine.own_images import is_own


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


def remove_tags(client: docker.DockerClient, name: str, keep: set[str]) -> list[str]:
    """Remove every tag of the repository `name`, except for images whose digest is in `keep` or that a container uses.

    An image has tags of other repositories, too: a person's, another app's with the same content, or those of the base
    image that it adds nothing to. They stay, and so do our own images, whatever the app is called. An image that a
    container uses is removed by a later call. Returns the removed tags.
    """
    removed = []
    # Not `images.list`, which looks at each image once more: others remove theirs meanwhile.
    for image in client.api.images(name):
        if image["Id"] in keep:
            continue
        for tag in _tags_of(image, name):
            try:
                client.images.remove(tag)
            except APIError as error:
                if error.status_code not in (404, 409):
                    raise
            else:
                removed.append(tag)
    return removed


def _tags_of(image: dict[str, Any], name: str) -> list[str]:  # Any: an image as the engine describes it
    return [tag for tag in image["RepoTags"] or () if tag.startswith(f"{name}:") and not is_own(tag)]
