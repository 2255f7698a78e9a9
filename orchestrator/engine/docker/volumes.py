"""Volumes of a stack: made if they do not exist, and removed if they do."""

from __future__ import annotations

from contextlib import suppress

import docker
from docker.errors import NotFound

from orchestrator.engine.base import LABEL_STACK


def ensure(client: docker.DockerClient, name: str, stack: str) -> None:
    """Create the volume of this name with the label of the stack, unless it exists."""
    try:
        client.volumes.get(name)
    except NotFound:
        client.volumes.create(name, labels={LABEL_STACK: stack})


def remove(client: docker.DockerClient, name: str) -> None:
    """Remove the volume of this name, if it exists."""
    with suppress(NotFound):
        client.volumes.get(name).remove()
