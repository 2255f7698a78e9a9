"""The users of a container and of the one that is to follow it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UserChange:
    """The user and group ids of a container that exists, and the other ones of a container that is to be made."""

    before: tuple[int, int]
    after: tuple[int, int]
