"""Converts Docker's answer about a container to a value."""

from __future__ import annotations

from docker.models.containers import Container

from orchestrator.engine.base import ContainerStatus
from orchestrator.engine.docker.lookup import name_of


def status_of(container: Container) -> ContainerStatus:
    state = container.attrs["State"]
    health = state.get("Health") or {}
    networks = container.attrs["NetworkSettings"]["Networks"]
    endpoint = next(iter(networks.values()), None) or {}
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
        address=(endpoint.get("IPAMConfig") or {}).get("IPv4Address") or endpoint.get("IPAddress") or "",
        image=str(container.attrs["Image"]),
        called=str(container.name),
        env=dict(_variable(one) for one in container.attrs["Config"].get("Env") or []),
    )


def _variable(said: str) -> tuple[str, str]:
    name, _, value = said.partition("=")
    return name, value
