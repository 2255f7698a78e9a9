"""Converts Docker's answer about disk usage to a value."""

from __future__ import annotations

from typing import Any

from orchestrator.engine.base import LABEL_APP
from orchestrator.engine.disk_usage import DiskUsage, ImageSize


def usage_of(answer: dict[str, Any]) -> DiskUsage:  # Any: Docker's JSON (API 1.45, GET /system/df)
    by_image, by_app = dict[str, ImageSize](), dict[str, int]()
    for image in answer.get("Images") or []:
        whole = int(image["Size"])
        image_size = ImageSize(whole, whole - max(0, int(image.get("SharedSize") or 0)))
        # An image that several deployments built has a tag of each; it takes its room once for each app.
        one_each = {tag.rpartition(":")[0]: tag for tag in image.get("RepoTags") or []}
        by_image.update(dict.fromkeys(one_each.values(), image_size))
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
