"""Creates a container from its specification."""

from __future__ import annotations

import io
import itertools
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import LogConfig, Mount

from orchestrator.engine.base import LABEL_APP, LABEL_NAME, LABEL_ROLE, LABEL_STACK, ContainerSpec, Role
from orchestrator.engine.docker.container_user import UNPRIVILEGED, is_root, numbers_of, passwd_of
from orchestrator.engine.docker.lookup import find, must_find
from orchestrator.engine.terminal import Terminal, has_input
from orchestrator.errors import EngineError, VolumeGone

HEAD_BLOCKS = 16
"""The blocks of an archive to read: enough for the first entry and an extended header before it."""

SUBPATH_SINCE = (1, 45)
"""The first version of the engine's API that mounts a folder of a volume: that of Docker 26."""

MOST_OF_LABELS = 64 * 1024
"""The longest labels of an image, names and values together, in characters."""

TEMPORARY_FILES = "size=64m,mode=1777"
"""What a container with a read-only root can write in /tmp: 64 MiB, which count as its memory."""


def create(client: docker.DockerClient, spec: ContainerSpec, stack: str) -> Container:
    """Create a container without starting it. It has no root user, capabilities or new privileges unless specified.

    An image whose user is root, however it writes that, runs as UNPRIVILEGED, or as root with the capabilities that
    are specified. Raises EngineError when the engine is too old for the mounts, and VolumeGone when a volume that must
    exist does not.
    """
    for volume in spec.existing:
        if not volume_exists(client, volume):
            raise _gone(volume, spec.labels.get(LABEL_APP, ""))
    image = client.images.get(spec.image).attrs["Config"]
    _refuse_long_labels(image.get("Labels") or {})
    user = spec.user or _user_of(str(image.get("User") or ""), spec)
    container = _create(client, spec, stack, user)
    with _removed_on_error(container):
        may_be_root = is_root(user, passwd_of(container, user))
    if not spec.user and not spec.capabilities and may_be_root:
        container.remove(force=True, v=True)
        user, may_be_root = UNPRIVILEGED, False
        container = _create(client, spec, stack, user)
    with _removed_on_error(container):
        if not may_be_root:
            for _, path in spec.owned:
                _own_empty_volume(container, path, user)
        for path, content in spec.files:
            folder = _mount_with(spec, path)
            container.put_archive(folder, _packed(path.removeprefix(folder), content))
    return container


@contextmanager
def _removed_on_error(container: Container) -> Iterator[None]:
    """Nobody else knows of a container that is not whole."""
    try:
        yield
    except BaseException:
        container.remove(force=True, v=True)
        raise


def image_exists(client: docker.DockerClient, digest: str) -> bool:
    try:
        client.images.get(digest)
    except NotFound:
        return False
    return True


def volume_exists(client: docker.DockerClient, name: str) -> bool:
    try:
        client.volumes.get(name)
    except NotFound:
        return False
    return True


def _gone(volume: str, app: str) -> VolumeGone:
    return VolumeGone(
        f"The data volume {volume} of {app} does not exist any more.",
        f"Restore a backup: 'changeover backup list {app}', then 'changeover backup restore {app} BACKUP'. To begin "
        f"with empty data instead: docker volume create {volume}",
    )


def _user_of(configured: str, spec: ContainerSpec) -> str:
    """The image's user, or UNPRIVILEGED where that is root without looking further and has no capabilities."""
    return UNPRIVILEGED if not spec.capabilities and is_root(configured, "") else configured


def _refuse_long_labels(labels: dict[str, str]) -> None:
    """Each container has its image's labels, and each answer of the engine about it and each of its events has them."""
    size = sum(len(name) + len(value) for name, value in labels.items())
    if size > MOST_OF_LABELS:
        raise EngineError(
            f"The image has labels of {size // 1024} kB, more than {MOST_OF_LABELS // 1024} kB.",
            "Remove labels from the Dockerfile, or those of its base image.",
        )


def _create(client: docker.DockerClient, spec: ContainerSpec, stack: str, user: str) -> Container:
    return client.containers.create(
        spec.image,
        command=list(spec.command) if spec.command else None,
        name=spec.name,
        labels=spec.labels | {LABEL_STACK: stack, LABEL_NAME: spec.name},
        environment=spec.env,
        user=user,
        mounts=_mounts(client, spec, stack),
        stdin_open=has_input(spec.stdin),
        tty=isinstance(spec.stdin, Terminal),
        log_config=_log(spec),
        **_network(client, spec, stack),
        **_processes(client, spec, stack),
        **_limits(spec),
        **_healthcheck(spec),
    )


def _log(spec: ContainerSpec) -> LogConfig:
    """None of a sidecar: whoever runs it is attached to its output, and the journal keeps what is worth keeping."""
    if spec.labels.get(LABEL_ROLE) == Role.SIDECAR:
        return LogConfig(type="none")
    return LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "3"})


def _healthcheck(spec: ContainerSpec) -> dict[str, Any]:  # Any: as above
    """The image's HEALTHCHECK is of its server: in a sidecar it would ask nobody, and take the job's processor time."""
    is_sidecar = spec.labels.get(LABEL_ROLE) == Role.SIDECAR
    return {"healthcheck": {"test": ["NONE"]}} if is_sidecar else {}


def _processes(client: docker.DockerClient, spec: ContainerSpec, stack: str) -> dict[str, Any]:  # Any: as above
    if not spec.processes_of:
        return {}
    return {"pid_mode": f"container:{must_find(client, spec.processes_of, stack).id}"}


def _network(
    client: docker.DockerClient, spec: ContainerSpec, stack: str
) -> dict[str, Any]:  # Any: the SDK's keyword arguments
    if spec.network_of:
        owner = find(client, spec.network_of, stack)
        if owner is None:
            raise EngineError(f"The container {spec.network_of} does not exist any more.")
        return {"network_mode": f"container:{owner.id}"}
    if not spec.network:
        return {"network_mode": "none"}
    endpoint = client.api.create_endpoint_config(ipv4_address=spec.address or None)
    # The app's own network may be among them, and has the address that the proxy knows.
    others = {name: client.api.create_endpoint_config() for name in spec.more_networks if name != spec.network}
    return {
        "network": spec.network,
        "networking_config": {spec.network: endpoint, **others},
        "extra_hosts": dict(spec.extra_hosts),
    }


def _limits(spec: ContainerSpec) -> dict[str, Any]:  # Any: the SDK's keyword arguments
    """What the container may do and use."""
    options: dict[str, Any] = {"pids_limit": spec.pids}
    if spec.init:
        options |= {"init": True, "pids_limit": spec.pids + 1}  # the init is none of the app's processes
    if spec.memory:
        options |= {"mem_limit": spec.memory, "memswap_limit": spec.memory}
    if not spec.privileges:
        options |= {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
        if spec.capabilities:
            options["cap_add"] = list(spec.capabilities)
    if spec.read_only:
        options |= {"read_only": True, "tmpfs": {"/tmp": TEMPORARY_FILES}}
    return options


def _mounts(client: docker.DockerClient, spec: ContainerSpec, stack: str) -> list[Mount]:
    """Each as a value of its own: a text such as `source:target:mode` would be cut at a colon in a path."""
    mounts = [_mount(source, target, stack=stack) for source, target in (*spec.mounts, *spec.owned)]
    mounts += [_mount(source, target, read_only=True, stack=stack) for source, target in spec.read_only_mounts]
    return mounts + [_part(client, volume, folder, target) for volume, folder, target in spec.parts]


def _mount(source: str, target: str, *, read_only: bool = False, stack: str = "") -> Mount:
    """`stack`: whose label a volume gets that the engine makes for this, so that what an app leaves is found."""
    if not source.startswith("/"):
        labels = {LABEL_STACK: stack} if stack else None
        return Mount(target, source, type="volume", read_only=read_only, labels=labels)
    bind = Mount(target, source, type="bind", read_only=read_only)
    bind["BindOptions"] = {"CreateMountpoint": True}
    return bind


def _part(client: docker.DockerClient, volume: str, folder: str, target: str) -> Mount:
    """One folder of a volume or of a folder of the host: nothing beside it can be reached."""
    if volume.startswith("/"):
        return _mount(f"{volume.rstrip('/')}/{folder}", target)
    api = tuple(int(number) for number in str(client.api.api_version).split("."))
    if api < SUBPATH_SINCE:
        raise EngineError(
            f"Docker Engine with API {client.api.api_version} cannot mount a folder of the volume {volume}.",
            "Install Docker Engine 26 or newer, or set update.backup.backup_location to a folder of the host.",
        )
    return Mount(target, volume, type="volume", subpath=folder)


def _mount_with(spec: ContainerSpec, path: str) -> str:
    """Where the mount is that a path is in; else the root, which the engine does not write to if it is read-only."""
    targets = [target for _, target in (*spec.mounts, *spec.owned)] + [target for _, _, target in spec.parts]
    return max((one for one in targets if path.startswith(f"{one}/")), key=len, default="/")


def _packed(path: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size, entry.mode = len(content), 0o600
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _own_empty_volume(container: Container, path: str, user: str) -> None:
    """Make the container's user, who is not root, the owner of a volume that root owns.

    Docker copies the owner of the image's folder to a new volume. If the image has no such folder, root owns the volume
    and the app cannot write to it. Unpacking an archive that has only this folder sets the owner without running a
    command.
    """
    if _owner_of(container, path) != 0:
        return
    folder = PurePosixPath(path)
    entry = tarfile.TarInfo(folder.name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    entry.uid, entry.gid = numbers_of(container, user)
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


def ensure_folders(
    client: docker.DockerClient, stack: str, name: str, volume: str, folders: Sequence[str], image: str
) -> None:
    """Create folders in a volume, and those above them, for root alone, if they do not exist.

    They are created through a container with this name, which never starts. If the engine ends meanwhile, it is left.
    """
    parts = [part for one in map(PurePosixPath, folders) for part in (*reversed(one.parents[:-1]), one)]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in dict.fromkeys(parts):
            entry = tarfile.TarInfo(str(path))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(entry)
    container = client.containers.create(
        image,
        name=name,
        labels={LABEL_STACK: stack, LABEL_ROLE: Role.SIDECAR},
        network_mode="none",
        mounts=[_mount(volume, "/volume")],
    )
    try:
        container.put_archive("/volume", packed.getvalue())
    finally:
        container.remove(force=True)
