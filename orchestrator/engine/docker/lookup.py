"""Finding, starting, ending and removing the containers of a stack, while others do the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from orchestrator.engine.base import (
    LABEL_APP,
    LABEL_COLOUR,
    LABEL_DEPLOYMENT,
    LABEL_NAME,
    LABEL_ROLE,
    LABEL_STACK,
    Role,
)
from orchestrator.errors import ContainerGone

KILLED_WITHIN_S = 30


def must_find(client: docker.DockerClient, name: str, stack: str) -> Container:
    """As `find`. Raises ContainerGone."""
    if container := find(client, name, stack):
        return container
    raise ContainerGone(name)


def find(client: docker.DockerClient, name: str, stack: str) -> Container | None:
    """The container of the stack that was created under this name, also when somebody has renamed it since."""
    try:
        found = client.containers.get(name)
        if found.labels.get(LABEL_STACK) == stack and name_of(found) == name:
            return found
    except NotFound:
        pass
    # Docker chooses by label: with the details of each container it would take longer with every app. A container of an
    # earlier version has no label for its name, which ends with its deployment.
    ids: set[str] = set()
    for label in (f"{LABEL_NAME}={name}", f"{LABEL_DEPLOYMENT}={name.rpartition('-')[2]}"):
        mine = client.api.containers(all=True, filters={"label": [f"{LABEL_STACK}={stack}", label]})
        ids |= {one["Id"] for one in mine if created_as(one["Labels"], one["Names"]) == name}
    named = [one for container in sorted(ids) if (one := _existing(client, container))]
    # A copy that somebody made of it has the same labels.
    return next((one for one in named if one.status in ("running", "paused")), next(iter(named), None))


def name_of(container: Container) -> str:
    """The name under which a container was created. Earlier versions have no label for it."""
    return created_as(container.labels, [str(container.name)])


def _existing(client: docker.DockerClient, container: str) -> Container | None:
    try:
        return client.containers.get(container)
    except NotFound:
        return None


def created_as(labels: dict[str, str], names: list[str]) -> str:
    if said := labels.get(LABEL_NAME):
        return said
    if labels.get(LABEL_ROLE) != Role.APP:
        return names[0].removeprefix("/") if names else ""
    return "-".join(labels.get(label, "") for label in (LABEL_STACK, LABEL_APP, LABEL_COLOUR, LABEL_DEPLOYMENT))


def start(client: docker.DockerClient, container: Container, network: str) -> None:
    """Start a container, also when its network was removed and made again, as `docker compose down` and `up` do.

    Docker knows a container's network by an id, and refuses to start a container whose network is gone.
    """
    try:
        container.start()
    except APIError as error:
        said = str(error.explanation or error)
        if error.status_code != 404 or "network" not in said:
            raise
        endpoint = container.attrs["NetworkSettings"]["Networks"].get(network) or {}
        address = (endpoint.get("IPAMConfig") or {}).get("IPv4Address")
        client.networks.get(network).connect(container, ipv4_address=address)
        container.start()


def wake(client: docker.DockerClient, container: Container, network: str, address: str) -> None:
    """Unpause or start a container that does not run, and connect it to the network at `address`, if that is given.

    Somebody may have disconnected it, or connected it again at an address at which the proxy does not look.
    """
    if container.status == "paused":
        container.unpause()
    if address and address_of(container, network) != address:
        joined = client.networks.get(network)
        if network in container.attrs["NetworkSettings"]["Networks"]:
            joined.disconnect(container, force=True)
        joined.connect(container, ipv4_address=address)
    if container.status not in ("running", "paused"):
        start(client, container, network)


def address_of(container: Container, network: str) -> str:
    """The address of a container in a network, also while it does not run; empty if it is not in that network."""
    return address_in(container.attrs["NetworkSettings"]["Networks"], network)


def address_in(networks: Mapping[str, Any], network: str) -> str:  # Any: Docker's JSON
    """As `address_of`, by the container's networks."""
    endpoint = networks.get(network) or {}
    return str((endpoint.get("IPAMConfig") or {}).get("IPv4Address") or endpoint.get("IPAddress") or "")


def remove(client: docker.DockerClient, name: str, stack: str) -> None:
    """Remove a container, running or not, with its anonymous volumes. Named volumes are kept.

    Does nothing if it does not exist.
    """
    if container := find(client, name, stack):
        remove_found(container)


def remove_found(container: Container) -> None:
    """As `remove`."""
    try:
        container.remove(force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        # 409: another client is removing the container already.
        if error.status_code != 409:
            raise


def end(container: Container, timeout_s: int) -> None:
    """Stop a container, by SIGKILL after `timeout_s` seconds. A paused one gets SIGKILL at once.

    To be stopped gently it would have to run again, on data that others write. SIGKILL takes effect before it runs.
    """
    if container.status == "paused":
        container.kill()
        container.wait(timeout=KILLED_WITHIN_S)
    else:
        container.stop(timeout=timeout_s)


def set_restart_policy(container: Container, name: str) -> None:
    container.update(restart_policy={"Name": name})  # type: ignore[arg-type]
