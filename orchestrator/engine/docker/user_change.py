"""Whether a container would run as another user than an existing one, in numbers."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import docker
from docker.models.containers import Container

from orchestrator.engine.base import ContainerSpec
from orchestrator.engine.docker.container_creation import create
from orchestrator.engine.docker.container_user import numbers_of
from orchestrator.engine.docker.lookup import find
from orchestrator.engine.user_change import UserChange


def user_change(client: docker.DockerClient, container: str, spec: ContainerSpec, stack: str) -> UserChange | None:
    """None when the container does not exist, or both run as the same user.

    The names of users and groups are in the image: a container that never starts is made to read them, only where the
    two are not written in the same way.
    """
    existing = find(client, container, stack)
    if existing is None:
        return None
    if _written(existing) == (spec.user or _of_image(client, spec.image)):
        return None
    with _never_started(client, spec, stack) as made:
        before, after = numbers_of(existing, _written(existing)), numbers_of(made, _written(made))
    return None if before == after else UserChange(before, after)


def check_user(client: docker.DockerClient, spec: ContainerSpec, stack: str) -> None:
    """Raises APIError when the image has no user or group of the name that is written."""
    with _never_started(client, spec, stack) as made:
        numbers_of(made, _written(made))


@contextmanager
def _never_started(client: docker.DockerClient, spec: ContainerSpec, stack: str) -> Iterator[Container]:
    alone = replace(
        spec, name=f"{stack}-user-{secrets.token_hex(4)}", network="", address="", owned=(), mounts=(), parts=(),
        read_only_mounts=(), more_networks=(), extra_hosts=(), files=(), existing=(),
    )  # fmt: skip
    made = create(client, alone, stack)
    try:
        made.reload()
        yield made
    finally:
        made.remove(force=True, v=True)


def _written(container: Container) -> str:
    return str(container.attrs["Config"].get("User") or "0:0")


def _of_image(client: docker.DockerClient, image: str) -> str:
    return str(client.images.get(image).attrs["Config"].get("User") or "")
