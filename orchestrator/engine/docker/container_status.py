"""Converts Docker's answer about a container to a value."""

from __future__ import annotations

from typing import Any

import docker
from docker.models.containers import Container

from orchestrator.engine.base import LABEL_STACK, ContainerStatus, Placed
from orchestrator.engine.docker.lookup import address_in, address_of, created_as, name_of


def status_of(container: Container, network: str) -> ContainerStatus:
    """`network`: that of the stack, in which the address is. An app's container can be in others, too."""
    state = container.attrs["State"]
    health = state.get("Health") or {}
    return ContainerStatus(
        id=str(container.id),
        name=name_of(container),
        labels=dict(container.labels),
        # Docker says "Running" of a container that has ended and waits for its restart, too.
        running=bool(state["Running"]) and not state.get("Restarting"),
        paused=bool(state["Paused"]),
        exit_code=int(state["ExitCode"]),
        oom=bool(state.get("OOMKilled")),
        restarts=int(container.attrs.get("RestartCount", 0)),
        restarting=bool(state.get("Restarting")),
        health=str(health.get("Status", "")),
        health_log=tuple(str(entry.get("Output", "")).strip() for entry in health.get("Log") or [])[-3:],
        address=address_of(container, network),
        image=str(container.attrs["Image"]),
        called=str(container.name),
        env=dict(_variable(one) for one in container.attrs["Config"].get("Env") or []),
        writable=tuple(
            (str(one.get("Name") or one.get("Source")), str(one["Destination"]))
            for one in container.attrs.get("Mounts") or []
            if one.get("RW") and one.get("Type") in ("volume", "bind")
        ),
    )


def placed(client: docker.DockerClient, stack: str, network: str) -> list[Placed]:
    """All containers of a stack, in one request: with the details of each it would be one more for every container."""
    listed = client.api.containers(all=True, filters={"label": f"{LABEL_STACK}={stack}"})
    return [_placed(one, network) for one in listed]


def _placed(listed: dict[str, Any], network: str) -> Placed:  # Any: Docker's JSON
    """From an entry of Docker's list of containers (Docker Engine API, GET /containers/json)."""
    labels, state = listed.get("Labels") or {}, listed["State"]
    return Placed(
        name=created_as(labels, listed.get("Names") or []),
        labels=labels,
        running=state in ("running", "paused"),
        paused=state == "paused",
        address=address_in((listed.get("NetworkSettings") or {}).get("Networks") or {}, network),
    )


def _variable(said: str) -> tuple[str, str]:
    name, _, value = said.partition("=")
    return name, value
