"""Containers by their names, while others come and go."""

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
    """Whether it runs or not; its volumes stay. One that is not there is well removed."""
    try:
        client.containers.get(name).remove(force=True, v=False)
    except NotFound:
        return
    except APIError as error:
        # Somebody else is removing it already: that is what was wanted.
        if error.status_code != 409:
            raise
