"""Who a container runs as: whether a user, as an image or a configuration writes it, is root.

The rules are those of the engine, which resolves a user in the image's /etc/passwd:
https://github.com/moby/sys/blob/main/user/user.go (GetExecUser, parseLine).
"""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import PurePosixPath

from docker.errors import APIError, NotFound
from docker.models.containers import Container

UNPRIVILEGED = "10001:10001"
"""The user and group of a container whose image has root as its user."""

MOST_BYTES, CHUNK = 2**20, 64 * 2**10
"""A larger /etc/passwd or /etc/group is not read: the image is a stranger's."""

_NUMBER = re.compile(r"[+-]?[0-9]+")


def is_root(user: str, passwd: str) -> bool:
    """Whether the engine runs `user` (`user`, `user:group`) as root in an image with this /etc/passwd.

    A number is a user id, whatever /etc/passwd says: `00` and `+0` are root. A name is looked up; an entry without a
    readable user id counts as 0. An empty user is root.
    """
    name = user.partition(":")[0]
    if not name:
        return True
    if _NUMBER.fullmatch(name):
        return int(name) == 0
    fields = _fields(passwd, name)
    if fields is None:
        return name == "root"
    return not (len(fields) > 2 and _NUMBER.fullmatch(fields[2]) and int(fields[2]) != 0)


def numbers_of(container: Container, user: str) -> tuple[int, int]:
    """The user and group id; names are looked up in the container's /etc/passwd and /etc/group."""
    name, _, group = user.partition(":")
    uid, gid = (int(name), int(name)) if name.isdigit() else _entry_of(container, "/etc/passwd", name)
    if group:
        gid = int(group) if group.isdigit() else _entry_of(container, "/etc/group", group)[0]
    return uid, gid


def passwd_of(container: Container, user: str) -> str:
    """The container's /etc/passwd, where it is needed to resolve `user`. A file that cannot be read makes it root."""
    name = user.partition(":")[0]
    if not name or _NUMBER.fullmatch(name):
        return ""
    try:
        return _text_of(container, "/etc/passwd")
    except NotFound:
        return ""
    except APIError:
        # A link, for example: where it leads, only the engine knows.
        return f"{name}::0"


def _entry_of(container: Container, file: str, name: str) -> tuple[int, int]:
    """Fields 3 and 4 of an entry: the id of a user or group, and of a user's group (passwd(5), group(5))."""
    entry = _fields(_text_of(container, file), name)
    if entry is None or len(entry) < 4:
        raise APIError(f"the image's user or group {name} is not in its {file}")
    return int(entry[2]), int(entry[3]) if entry[3].isdigit() else 0


def _fields(text: str, name: str) -> list[str] | None:
    return next((fields for line in text.splitlines() if (fields := line.strip().split(":"))[0] == name), None)


def _text_of(container: Container, file: str) -> str:
    stream, _stat = container.get_archive(file, chunk_size=CHUNK)
    packed = bytearray()
    for chunk in stream:
        packed += chunk
        if len(packed) > MOST_BYTES:
            raise APIError(f"{file} of the image is larger than {MOST_BYTES // 2**20} MiB")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        entry = archive.getmember(PurePosixPath(file).name)
        content = archive.extractfile(entry) if entry.isreg() else None
        if content is None:
            raise APIError(f"{file} of the image is not a regular file")
        return content.read().decode(errors="replace")
