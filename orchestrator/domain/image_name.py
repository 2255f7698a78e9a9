"""Names of images in registries, as docker reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"
_REPOSITORY = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(:\d{1,5})?")
MOST_CHARACTERS = 255
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageName:
    """`host` is the registry, with its port; `repository` the name of the image there."""

    host: str
    repository: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}"


def image_name(text: str) -> ImageName:
    """Without a host it is an image of Docker Hub. For names that `why_no_image` has nothing against."""
    first, slash, rest = text.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return ImageName(first, rest)
    return ImageName(DOCKER_HUB, text if slash else f"library/{text}")


def why_no_image(text: str) -> str:
    """Why this is not the name of an image without a tag; empty if it is."""
    name = image_name(text)
    if "@" in text or ":" in name.repository:
        return "a tag or digest is not a part of it; set update.registry.tag"
    if len(text) > MOST_CHARACTERS or not _REPOSITORY.fullmatch(name.repository) or not _HOST.fullmatch(name.host):
        return "it has lower-case letters, digits and the separators . _ - /"
    return ""
