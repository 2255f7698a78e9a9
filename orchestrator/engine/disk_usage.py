"""How much room images, containers, volumes and the build cache take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageSize:
    """In bytes: all layers, and those that no other image has. What several images share is there once."""

    whole: int
    alone: int


@dataclass(frozen=True)
class DiskUsage:
    """Disk usage, in bytes. `by_image` has the size of each image by its tag."""

    images: int
    containers: int
    volumes: int
    build_cache: int
    by_image: dict[str, ImageSize]
    by_volume: dict[str, int]
    by_app: dict[str, int]
    """The data that an app's containers wrote outside of volumes."""
