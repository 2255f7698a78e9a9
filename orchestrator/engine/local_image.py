"""An image that the engine has, as it describes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class LocalImage:
    """`digest` is its id, `sha256:…`. `created` is the time in ISO 8601, as whoever built it wrote it."""

    digest: str
    tags: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    created: str = ""


def is_of_another(tags: Collection[str], stack: str, mine: str) -> bool:
    """Whether all names of an image say that it is of another app of this stack, or of Changeover itself.

    `mine` is the name of the app's own images. One that a person has given a name, too, is that person's to use.
    """
    return bool(tags) and all(tag.startswith(f"{stack}/") and not tag.startswith(f"{mine}:") for tag in tags)
