"""Runs in an app's container, tries to reach everything, and prints what it tried and whether it worked as JSON.

The arguments are the address of another app, and the gateway of the network, which is the host.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
PTRACE_ATTACH, MS_BIND = 16, 4096
BPF, KEYCTL, INIT_MODULE = 321, 250, 175
"""Numbers of system calls on x86-64."""
USUAL_MOUNTS = ("/", "/proc", "/dev", "/sys", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/tmp", "/data")
libc = ctypes.CDLL(None, use_errno=True)


def checked(answer: int) -> None:
    if answer < 0:
        raise OSError(ctypes.get_errno(), "refused")


def connect(address: str, port: int) -> None:
    with socket.create_connection((address, port), timeout=2):
        pass


def a_socket_of_the_engine() -> None:
    for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/engine/docker.sock", "/engine.sock"):
        if os.path.exists(path):
            return
    raise FileNotFoundError


def something_of_changeover() -> None:
    for path in ("/run/changeover", "/var/lib/changeover", "/source", "/backups", "/run/changeover-token"):
        if os.path.exists(path):
            return
    raise FileNotFoundError


def a_folder_of_the_host_or_of_another_app() -> None:
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    if not [one for one in mounts if one not in USUAL_MOUNTS and not one.startswith(("/proc/", "/dev/", "/sys/"))]:
        raise FileNotFoundError


def a_process_of_another_container() -> None:
    mine = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    if max(mine) < 2000 and Path("/proc/1/cmdline").read_bytes().find(b"python") >= 0:
        raise ProcessLookupError


def a_capability() -> None:
    status = Path("/proc/self/status").read_text()
    held = {line.split()[0]: line.split()[1] for line in status.splitlines() if line.startswith(("Cap", "NoNewPrivs"))}
    if (
        not any(int(held[f"Cap{one}:"], 16) for one in ("Eff", "Prm", "Inh", "Bnd", "Amb"))
        and held["NoNewPrivs:"] == "1"
    ):
        raise PermissionError


def more_processes_than_its_limit() -> None:
    children = []
    try:
        for _ in range(int(sys.argv[3]) + 10):
            child = os.fork()
            if child == 0:
                time.sleep(30)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)


TRIED: dict[str, Callable[[], object]] = {
    "the engine's socket": a_socket_of_the_engine,
    "the journal, the proxy's sockets, the checkout, backups": something_of_changeover,
    "folders of the host, data of other apps": a_folder_of_the_host_or_of_another_app,
    "processes of other containers": a_process_of_another_container,
    "any capability, or new privileges": a_capability,
    "user id 0": lambda: os.setuid(0),
    "mounting": lambda: checked(libc.mount(b"/proc", b"/mnt", None, MS_BIND, None)),
    "a namespace of its own": lambda: checked(libc.unshare(CLONE_NEWNS | CLONE_NEWUSER)),
    "making a device": lambda: os.mknod("/tmp/disk", 0o600 | 0o060000, os.makedev(8, 0)),
    "another root folder": lambda: os.chroot("/tmp"),
    "raw packets": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close(),
    "settings of the kernel": lambda: Path("/proc/sys/kernel/hostname").write_text("mine"),
    "the kernel's memory and modules": lambda: checked(libc.syscall(INIT_MODULE, 0, 0, b"")),
    "the kernel's keys": lambda: checked(libc.syscall(KEYCTL, 0, -3, 0)),
    "programs in the kernel": lambda: checked(libc.syscall(BPF, 0, 0, 0)),
    "the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "more processes than run.pids": more_processes_than_its_limit,
    "ports of other apps": lambda: connect(sys.argv[1], 8000),
    "ports of the host that listen on all its addresses": lambda: connect(sys.argv[2], int(sys.argv[4])),
    "its own data": lambda: Path("/data/mine").write_text("mine"),
}


def main() -> None:
    reached = {}
    for name, attempt in TRIED.items():
        try:
            attempt()
        except (OSError, AttributeError) as error:
            reached[name] = f"no: {error}"
        else:
            reached[name] = "yes"
    print(json.dumps(reached))


if __name__ == "__main__":
    main()
