"""The layers that one image has and another has not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import docker
from docker.errors import APIError

History = Sequence[dict[str, Any]]  # Any: layers as the engine describes them


def added_bytes(client: docker.DockerClient, image: str, before: str) -> int | None:
    """The size of the layers of `image` that `before` has not; None if one of them does not exist any more."""
    try:
        return new_bytes(_history(client, image), _history(client, before))
    except APIError as error:
        if error.status_code == 404:
            return None
        raise


def _history(client: docker.DockerClient, image: str) -> History:
    return client.api.history(image)  # type: ignore[no-untyped-call,no-any-return]


def new_bytes(history: History, before: History) -> int:
    """The bytes of a history, the newest layer first, that come after what both have in common.

    A layer that the builder took from its cache keeps the time at which it was made, by which it is known.
    """
    pairs = zip(reversed(history), reversed(before), strict=False)
    common = sum(1 for _ in takewhile(lambda pair: _same(*pair), pairs))
    return sum(int(layer.get("Size") or 0) for layer in history[: len(history) - common])


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("Created", "CreatedBy", "Size"))
