"""The section `run` of an app: how its containers are run."""

from __future__ import annotations

import difflib
import ipaddress
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from orchestrator.config.section import Section, Unit
from orchestrator.config.value_types import HostName, Size, with_names

NOT_FOR_DATA = frozenset(
    ("/", "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/tmp", "/usr", "/var")
)
"""A data volume mounted there would hide what the container needs, such as its users in /etc/passwd."""


_CAPABILITIES = frozenset(
    """
    AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER
    FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE
    NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE
    SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM
    """.split()  # noqa: SIM905
)
"""capabilities(7), Linux 6.12."""


def _known_capability(value: str) -> str:
    name = value.upper().removeprefix("CAP_")
    if name not in _CAPABILITIES:
        near = difflib.get_close_matches(name, _CAPABILITIES, n=1)
        says = f" Did you mean {near[0].lower()}?" if near else ""
        raise ValueError(f"expected a Linux capability such as chown or setuid.{says}")
    return name.lower()


_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?")
_LARGEST_ID = 2**31 - 1
"""https://github.com/moby/sys/blob/main/user/user.go (maxID)."""
_MOUNT = re.compile(r"(?P<source>[a-z0-9][a-z0-9_.-]{0,62}|/[^:\0]*):(?P<target>/[^:\0]+?)(:(?P<mode>ro|rw))?")


def _place(path: str) -> str:
    """An absolute path as the engine compares it: without `.`, and with one slash between its parts."""
    return posixpath.normpath(f"/{path.strip('/')}")


def _of_the_kernel(path: str) -> bool:
    """The engine mounts nothing there, nor below."""
    place = _place(path)
    return place == "/" or place.startswith(("/proc/", "/sys/")) or place in ("/proc", "/sys")


def _mount(value: str) -> str:
    match = _MOUNT.fullmatch(value)
    if not match or ".." in value.split("/") or _of_the_kernel(match["target"]) or _place(match["target"]) == "/dev":
        raise ValueError(
            "expected SOURCE:PATH or SOURCE:PATH:ro with the name of a volume or an absolute path of the host, such as "
            "uploads:/srv/uploads"
        )
    return value


def _address(value: str) -> str:
    if value != "host-gateway":
        try:
            ipaddress.ip_address(value)
        except ValueError as error:
            raise ValueError("expected an IP address, or host-gateway for this host") from error
    return value


Capability = Annotated[str, AfterValidator(_known_capability)]
VolumeMount = Annotated[str, AfterValidator(_mount)]
NetworkName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
HostAddress = Annotated[str, AfterValidator(_address)]


@dataclass(frozen=True)
class Mounted:
    """One entry of `run.volumes`. `source` is the name of a volume, or an absolute path of the host."""

    source: str
    target: str
    read_only: bool

    @property
    def is_volume(self) -> bool:
        return not self.source.startswith("/")


def mounts_of(volumes: Iterable[str]) -> tuple[Mounted, ...]:
    """What the entries of `run.volumes` say."""
    found = (_MOUNT.fullmatch(one) for one in volumes)
    return tuple(Mounted(one["source"], one["target"], one["mode"] == "ro") for one in found if one)


class Run(Section):
    """How the app's containers are run."""

    port: Annotated[int, Field(ge=1, le=65535), Unit("TCP port")] = 8000
    """The port that the app listens on in its container. Example: 3000"""
    command: Annotated[tuple[str, ...] | None, Unit("list of words")] = None
    """The command of the container; the image's own when not set. Example: [gunicorn, shop:app]"""
    env: Annotated[dict[str, str], Unit("names and texts")] = {}
    """Environment variables of the app's containers and sidecars. Example: {LOG_LEVEL: debug}"""
    env_file: Annotated[str | None, Unit("path")] = None
    """A file of NAME=value lines, relative to the folder of the configuration file, for secrets. `run.env` overrides
    it. It is read as Docker Compose 2.26 reads it, but: `$` stands for itself and no variable is replaced; a name
    without a value, an empty name, a name with white space and text after a value in quotes are refused. Example:
    secrets/shop.env"""
    data: Annotated[str | None, Unit("path in the container")] = None
    """Where the app's data volume is mounted; the app has no volume when not set. When it is changed, or taken out of
    the configuration of an app that has data there, deployments are refused, unless they are forced. Example: /data"""
    memory: Annotated[Size | None, Unit("size of at least 6m, with k, m or g for KiB, MiB, GiB")] = None
    """The memory limit, with swap, of each container of the app; unlimited when not set. The kernel kills a container
    that exceeds it. Example: 512m"""
    pids: Annotated[int, Field(ge=16, le=2**22), Unit("processes")] = 1024
    """How many processes and threads each container of the app may have at once. Example: 4096"""
    user: Annotated[str | None, Unit("user or user:group")] = None
    """The user that the containers run as; the image's own user when not set, or 10001 if that is root. Example:
    "1000:1000\""""
    read_only: bool = False
    """The containers can write in their data volume and in `/tmp` (64 MiB, part of their memory), nowhere else.
    Example: true"""
    capabilities: Annotated[tuple[Capability, ...], Unit("list of Linux capabilities")] = ()
    """The Linux capabilities that the containers keep; all are dropped when not set. With capabilities, an image whose
    user is root runs as root. For servers that start as root, such as nginx and Apache from their packages. Example:
    [chown, setgid, setuid]"""
    volumes: Annotated[tuple[VolumeMount, ...], Unit("list of source:path or source:path:ro")] = ()
    """More volumes and folders of the host in the containers. A name is a volume of this app alone, an absolute path is
    a folder of the host. They are not part of backups. One that the live release can write and that the next one would
    not have at the same path refuses deployments, as for `run.data`. Example: ["uploads:/srv/uploads",
    "/srv/photos:/photos:ro"]"""
    networks: Annotated[tuple[NetworkName, ...], Unit("list of networks")] = ()
    """More Docker networks that the containers join, which must exist, for example that of a database server. Example:
    [database]"""
    extra_hosts: Annotated[dict[HostName, HostAddress], Unit("host names and addresses")] = {}
    """Host names that the containers can resolve in addition. The address `host-gateway` is this host, for services
    that listen on its Docker bridge. Example: {database.internal: host-gateway}"""
    privileges: bool = False
    """Keep Docker's default Linux capabilities and the right to gain new privileges. When false, both are dropped.
    Example: true"""

    @property
    def mounted(self) -> tuple[Mounted, ...]:
        """The entries of `volumes`."""
        return mounts_of(self.volumes)

    @field_validator("env")
    @classmethod
    def _env_has_names(cls, value: dict[str, str]) -> dict[str, str]:
        return with_names(value)

    @field_validator("command")
    @classmethod
    def _command_has_a_program(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and not (value and value[0]):
            raise ValueError("expected a list that begins with a program, such as [gunicorn, shop:app]")
        return value

    @field_validator("user")
    @classmethod
    def _user_is_a_name_or_number(cls, value: str | None) -> str | None:
        if value is not None and not _USER.fullmatch(value):
            raise ValueError('expected the name or number of a user, and of its group if needed, such as "1000:1000"')
        if value is not None and any(one.isdigit() and int(one) > _LARGEST_ID for one in value.split(":")):
            raise ValueError(f"expected a user and group of at most {_LARGEST_ID}, as Docker has them")
        return value

    @field_validator("networks")
    @classmethod
    def _networks_can_be_joined(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if modes := [one for one in value if one in ("host", "none")]:
            raise ValueError(
                f"expected networks that a container can join in addition. '{modes[0]}' is none; for a service of this "
                "host, see run.extra_hosts"
            )
        return value

    @model_validator(mode="after")
    def _mounts_have_places_of_their_own(self) -> Run:
        places = [_place(one.target) for one in self.mounted]
        places += [_place(self.data)] if self.data else []
        places += ["/tmp"] if self.read_only else []
        if twice := next((one for one in places if places.count(one) > 1), ""):
            also = ", and read_only mounts /tmp" if twice == "/tmp" and self.read_only else ""
            raise ValueError(f"{twice} is mounted twice by data and volumes{also}. Use another path for one of them")
        return self

    @field_validator("data")
    @classmethod
    def _data_is_absolute(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("/"):
            raise ValueError("expected an absolute path in the container, such as /data")
        if value is not None and (".." in value.split("/") or _place(value) in NOT_FOR_DATA or _of_the_kernel(value)):
            raise ValueError("expected a folder of the app's own, such as /data: not one of the image's system folders")
        return value
