"""Making a container as its spec says."""

from __future__ import annotations

import io
import tarfile
from pathlib import PurePosixPath
from typing import Any

import docker
from docker.models.containers import Container
from docker.types import LogConfig

from orchestrator.engine.containers import LABEL_STACK, ContainerSpec

UNPRIVILEGED_USER = 10001
"""Whom a container runs as whose image would make it root, and the owner of a new data volume."""

LEAST_SHARE = 2
"""The smallest that the kernel knows, where a container has 1024 otherwise."""


def create(client: docker.DockerClient, spec: ContainerSpec, stack: str) -> Container:
    """Make a container and do not start it. Root, capabilities and new privileges are for those who ask."""
    user = spec.user or _user_of(client, spec.image)
    options: dict[str, Any] = {}  # Any: the SDK's own keyword arguments
    mounts = (*spec.mounts, *spec.owned)
    if mounts:
        options["volumes"] = {source: {"bind": target, "mode": "rw"} for source, target in mounts}
    if spec.memory:
        options |= {"mem_limit": spec.memory, "memswap_limit": spec.memory}
    if not spec.privileges:
        options |= {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
    if spec.gives_way:
        options["cpu_shares"] = LEAST_SHARE
    endpoint = client.api.create_endpoint_config(ipv4_address=spec.address or None)
    container = client.containers.create(
        spec.image,
        command=list(spec.command) if spec.command else None,
        name=spec.name,
        labels=spec.labels | {LABEL_STACK: stack},
        environment=spec.env,
        user=user,
        network=spec.network,
        networking_config={spec.network: endpoint},
        log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "3"}),
        **options,
    )
    for _, path in spec.owned:
        _own_empty_volume(container, path, user)
    if spec.files:
        container.put_archive("/", _packed(spec.files))
    return container


def _packed(files: tuple[tuple[str, bytes], ...]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in files:
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _user_of(client: docker.DockerClient, image: str) -> str:
    configured = str(client.images.get(image).attrs["Config"].get("User") or "")
    name = configured.split(":")[0]
    return f"{UNPRIVILEGED_USER}:{UNPRIVILEGED_USER}" if name in ("", "0", "root") else configured


def _own_empty_volume(container: Container, path: str, user: str) -> None:
    """Give a volume that root owns to the app's user, where that user is known by number.

    Docker copies the owner of the image's own folder into a new volume; an image without that folder leaves it
    to root, and the app could not write. Unpacking an archive with just that folder, in the one above it, sets the
    owner without running anything.
    """
    uid, _, gid = user.partition(":")
    if not uid.isdigit() or uid == "0":
        return
    stream, _stat = container.get_archive(path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        root = archive.next()
        if root is None or root.uid != 0:
            return
    folder = PurePosixPath(path)
    entry = tarfile.TarInfo(folder.name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    entry.uid, entry.gid = int(uid), int(gid or uid)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(entry)
    container.put_archive(str(folder.parent), packed.getvalue())
