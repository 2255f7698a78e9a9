"""Creates a container from its specification."""

from __future__ import annotations

import io
import itertools
import tarfile
from pathlib import PurePosixPath
from typing import Any

import docker
from docker.errors import APIError
from docker.models.containers import Container
from docker.types import LogConfig

from orchestrator.engine.base import LABEL_STACK, ContainerSpec

UNPRIVILEGED_USER = 10001
"""The user id of a container whose image has root as its user."""

HEAD_BLOCKS = 16
"""The blocks of an archive to read: enough for the first entry and an extended header before it."""

LEAST_SHARE = 2
"""The lowest value of cpu_shares. The default is 1024."""


def create(client: docker.DockerClient, spec: ContainerSpec, stack: str) -> Container:
    """Create a container without starting it. It has no root user, capabilities or new privileges unless specified."""
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
    """Make the container's user the owner of a volume that root owns.

    Docker copies the owner of the image's folder to a new volume. If the image has no such folder, root owns the volume
    and the app cannot write to it. Unpacking an archive that has only this folder sets the owner without running a
    command.
    """
    if user.partition(":")[0] in ("0", "root") or _owner_of(container, path) != 0:
        return
    folder = PurePosixPath(path)
    entry = tarfile.TarInfo(folder.name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    entry.uid, entry.gid = _numbers_of(container, user)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(entry)
    container.put_archive(str(folder.parent), packed.getvalue())


def _owner_of(container: Container, folder: str) -> int:
    """The user id that owns a folder, from the first entry of its archive. No more is read: the folder may be large."""
    stream, _stat = container.get_archive(folder, chunk_size=tarfile.BLOCKSIZE)
    head = b"".join(itertools.islice(stream, HEAD_BLOCKS))
    with tarfile.open(fileobj=io.BytesIO(head)) as archive:
        entry = archive.next()
    if entry is None:
        raise APIError(f"{folder} of the new container cannot be read")
    return entry.uid


def _numbers_of(container: Container, user: str) -> tuple[int, int]:
    """The user and group id; names are looked up in the image's /etc/passwd and /etc/group."""
    name, _, group = user.partition(":")
    uid, gid = (int(name), int(name)) if name.isdigit() else _entry_of(container, "/etc/passwd", name)
    if group:
        gid = int(group) if group.isdigit() else _entry_of(container, "/etc/group", group)[0]
    return uid, gid


def _entry_of(container: Container, file: str, name: str) -> tuple[int, int]:
    """Fields 3 and 4 of an entry: the id of a user or group, and of a user's group (passwd(5), group(5))."""
    stream, _stat = container.get_archive(file)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        content = archive.extractfile(PurePosixPath(file).name)
        lines = content.read().decode(errors="replace").splitlines() if content else []
    entry = next((fields for line in lines if (fields := line.split(":"))[0] == name), None)
    if entry is None:
        raise APIError(f"the image's user or group {name} is not in its {file}")
    return int(entry[2]), int(entry[3]) if entry[3].isdigit() else 0
