"""Finding and removing containers by name, while others create and remove containers."""

from __future__ import annotations

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container


def find(client: docker.DockerClient, name: str) -> Container | None:
    try:
        return client.containers.get(name)
    except NotFound:
        return None


def remove(client: docker.DockerClient, name: str) -> None:
    """Remove a container, running or not. Its volumes are kept. Does nothing if it does not exist."""
    try:
        client.containers.get(name).remove(force=True, v=False)
    except NotFound:
        return
    except APIError as error:
        # 409: another client is removing the container already.
        if error.status_code != 409:
            raise
