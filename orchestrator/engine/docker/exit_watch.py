"""The end of a container, waited for since before it started."""

from __future__ import annotations

from typing import Any

from docker.models.containers import Container
from requests.exceptions import RequestException

from orchestrator.errors import EngineError

NEXT_EXIT = {"condition": "next-exit"}
"""Docker accepts the question before the container starts, and sends the head of its answer at once (Docker Engine API,
"Wait for a container")."""


class ExitWatch:
    """Waits on a connection of its own, as `docker run` does. Used in one thread.

    Containers outlive their engine (`live-restore`). Where it is restarted, their output ends for who is attached, as
    if there were no more, and the new engine would say how they ended: what they printed between the two would be
    missing, and nobody would know it. This connection breaks then.
    """

    def __init__(self, container: Container) -> None:
        """Raises APIError or RequestException."""
        self._name = container.name
        # docker-py's own `wait` returns when the container has ended; it has no other way to ask before that.
        client: Any = container.client  # Any: the stubs lack what is used here
        api = client.api
        self._answer = api._post(
            api._url("/containers/{0}/wait", container.id), params=NEXT_EXIT, timeout=None, stream=True
        )
        api._raise_for_status(self._answer)

    def wait(self) -> None:
        """Until the container has ended. It must have been started. Raises EngineError where the engine ends before."""
        try:
            is_cancelled = int(self._answer.json()["StatusCode"]) < 0  # an engine that is stopped ends its waits
        except RequestException as error:
            raise _engine_ended(str(self._name)) from error
        if is_cancelled:
            raise _engine_ended(str(self._name))

    def close(self) -> None:
        self._answer.close()


def _engine_ended(container: str) -> EngineError:
    return EngineError(
        f"Docker Engine ended, or was restarted, while container {container} ran: not all of its output is known.",
        "Try again when the engine answers.",
    )
