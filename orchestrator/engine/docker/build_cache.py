"""BuildKit's cache, which all apps on the engine share, is kept at the configured size."""

from __future__ import annotations

import threading

import docker

CALLS_WITHOUT = 4
"""While nothing had to be removed, so many calls in a row do not ask BuildKit."""


class BuildCache:
    """Reduces the cache when it is needed. Its methods may be called by several threads; one at a time asks BuildKit,
    which may take a minute: whoever comes meanwhile does not wait for it.

    BuildKit reads every record of its cache for that, whether it removes one or not, and a limit of the size keeps
    thousands of small ones: with 5,800 records it took 0.55 s of a processor, in each deployment. So it is asked again
    at once only if it had to remove something, or if the limit is another one.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._limit: int | None = None
        self._without = 0
        """How many calls more need not ask."""

    def reduce(self, client: docker.DockerClient, keep_bytes: int) -> None:
        """Reduce the cache to this size, least recently used entries first; or do nothing if that is under way, also
        with another size, which the next call asks for. Raises what Docker's client raises."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            if keep_bytes == self._limit and self._without:
                self._without -= 1
                return
            removed = client.api.prune_builds(keep_storage=keep_bytes).get("CachesDeleted")
            self._limit, self._without = keep_bytes, 0 if removed else CALLS_WITHOUT
        finally:
            self._turn.release()
