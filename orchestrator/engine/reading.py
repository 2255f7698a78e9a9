"""What Docker says, as values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from docker.models.containers import Container

from orchestrator.engine.containers import LABEL_APP, ContainerStatus


@dataclass(frozen=True)
class DiskUsage:
    """What takes how much room, in bytes. An image's layers that others share count for none of the images."""

    images: int
    containers: int
    volumes: int
    build_cache: int
    by_image: dict[str, int]
    by_volume: dict[str, int]
    by_app: dict[str, int]
    """What the containers of an app wrote outside of volumes."""


def usage_of(answer: dict[str, Any]) -> DiskUsage:  # Any: Docker's JSON (API 1.45, GET /system/df)
    by_image, by_app = {}, dict[str, int]()
    for image in answer.get("Images") or []:
        own = int(image["Size"]) - max(0, int(image.get("SharedSize") or 0))
        by_image.update({tag: own for tag in image.get("RepoTags") or []})
    containers = [(one.get("Labels") or {}, int(one.get("SizeRw") or 0)) for one in answer.get("Containers") or []]
    for labels, size in containers:
        app = labels.get(LABEL_APP, "")
        by_app[app] = by_app.get(app, 0) + size
    by_volume = {one["Name"]: max(0, int(one["UsageData"]["Size"])) for one in answer.get("Volumes") or []}
    return DiskUsage(
        images=int(answer.get("LayersSize") or 0),
        containers=sum(size for _, size in containers),
        volumes=sum(by_volume.values()),
        build_cache=sum(int(one.get("Size") or 0) for one in answer.get("BuildCache") or [] if not one.get("Shared")),
        by_image=by_image,
        by_volume=by_volume,
        by_app=by_app,
    )


def status_of(container: Container) -> ContainerStatus:
    state = container.attrs["State"]
    health = state.get("Health") or {}
    networks = container.attrs["NetworkSettings"]["Networks"]
    endpoint = next(iter(networks.values()), None) or {}
    return ContainerStatus(
        id=str(container.id),
        name=str(container.name),
        labels=dict(container.labels),
        running=bool(state["Running"]),
        paused=bool(state["Paused"]),
        exit_code=int(state["ExitCode"]),
        oom=bool(state.get("OOMKilled")),
        restarts=int(container.attrs.get("RestartCount", 0)),
        health=str(health.get("Status", "")),
        health_log=tuple(str(entry.get("Output", "")).strip() for entry in health.get("Log") or [])[-3:],
        address=(endpoint.get("IPAMConfig") or {}).get("IPv4Address") or endpoint.get("IPAddress") or "",
        image=str(container.attrs["Image"]),
    )


def whole_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Whole lines from chunks that end anywhere."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace").rstrip("\r") for line in lines)
    if rest:
        yield rest.decode(errors="replace")
