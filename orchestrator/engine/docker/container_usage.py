"""A container's CPU time and memory, from Docker's statistics (Docker Engine API, GET /containers/{id}/stats)."""

from __future__ import annotations

from typing import Any

import docker
from docker.errors import NotFound

from orchestrator.engine.container_usage import ContainerUsage

NS_PER_S = 10**9


def usage_of(client: docker.DockerClient, name: str) -> ContainerUsage | None:
    """By one look: without `one_shot`, Docker waits for a second one."""
    try:
        found = client.api.stats(name, stream=False, one_shot=True)
    except NotFound:
        return None
    return usage_in(found)


def usage_in(found: dict[str, Any]) -> ContainerUsage | None:  # Any: Docker's JSON
    """None for a container that does not run: it has no memory."""
    memory, cpu = found.get("memory_stats") or {}, found.get("cpu_stats") or {}
    used = memory.get("usage")
    if used is None:
        return None
    of_memory = memory.get("stats") or {}
    # The first name is that of cgroup v1, the second that of v2, as `docker stats` takes them.
    cache = of_memory.get("total_inactive_file", of_memory.get("inactive_file", 0))
    total = (cpu.get("cpu_usage") or {}).get("total_usage", 0)
    return ContainerUsage(total / NS_PER_S, max(0, int(used) - int(cache)))
