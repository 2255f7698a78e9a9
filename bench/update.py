"""A change of one source file, from the request to live, against the same work done by hand with docker alone."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.repository import Repository
from tests.support.stack import Stack

ROUNDS = 7
IMAGE = "changeover-bench-floor"


@dataclass
class Update:
    """Seconds of each round. The floor is the sum of its three parts: build, sidecar and start."""

    ours: list[float] = field(default_factory=list)
    build: list[float] = field(default_factory=list)
    sidecar: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    with_backup: list[float] = field(default_factory=list)
    """The sidecar with another one beside it that packs the data: each deployment of an app with data makes a backup,
    which the floor lacks."""

    @property
    def floor(self) -> float:
        return sum(statistics.median(part) for part in (self.build, self.sidecar, self.start))

    @property
    def floor_with_backup(self) -> float:
        return sum(statistics.median(part) for part in (self.build, self.with_backup, self.start))

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / self.floor

    def __str__(self) -> str:
        parts = ", ".join(
            f"{name} {statistics.median(part):.2f}"
            for name, part in (("cached build", self.build), ("sidecar", self.sidecar), ("start to ready", self.start))
        )
        return (
            f"update of one changed file, medians of {ROUNDS} rounds: {statistics.median(self.ours):.2f} s "
            f"(best {min(self.ours):.2f}); floor {self.floor:.2f} s: {parts}; floor with a backup beside the sidecar "
            f"{self.floor_with_backup:.2f} s, times {statistics.median(self.ours) / self.floor_with_backup:.2f}"
        )


def measure(stack: Stack, repository: Repository) -> Update:
    """The two ways turn about, so that whatever else the machine does meets both."""
    assert stack.deploy()["state"] == "live"
    found = Update()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            by_hand(Path(folder), repository, number, found)
            repository.change(f"Round {number}")
            began = time.monotonic()
            live = stack.deploy_to_live()
            found.ours.append(time.monotonic() - began)
            assert live["state"] == "live", live["failure"]
            stack.wait_ended(live["id"])
    clean_up()
    return found


def clean_up() -> None:
    """Remove what `by_hand` has left."""
    subprocess.run(["docker", "volume", "rm", "--force", IMAGE], check=True, capture_output=True)
    subprocess.run(["docker", "image", "rm", "--force", IMAGE], check=True, capture_output=True)


def by_hand(folder: Path, repository: Repository, number: int, found: Update) -> None:
    """The same work with docker alone."""
    context = folder / "context"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(repository.path, context, ignore=shutil.ignore_patterns(".git"))
    (context / "shop.py").write_text((context / "shop.py").read_text() + f"# floor {number}\n")
    volume = f"{IMAGE}:/data"
    found.build.append(_timed("docker", "buildx", "build", "--load", "--quiet", "--tag", IMAGE, str(context)))
    found.sidecar.append(_timed("docker", "run", "--rm", "-v", volume, IMAGE, "alembic", "upgrade", "head"))
    found.with_backup.append(_backed_up(volume, folder))
    began = time.monotonic()
    published = ["-p", "127.0.0.1::8000"]
    container = _run("docker", "run", "--detach", "-v", volume, *published, IMAGE)
    address = _run("docker", "port", container, "8000")
    while not _ready(f"http://{address}/readyz"):
        time.sleep(0.005)
    found.start.append(time.monotonic() - began)
    _run("docker", "rm", "--force", container)


def _backed_up(volume: str, folder: Path) -> float:
    """The sidecar again, and beside it one that packs the data; until both have ended."""
    pack = ("docker", "run", "--rm", "--user=0:0", "--network=none", "-v", volume, "-v", f"{folder}:/backups", IMAGE)
    began = time.monotonic()
    with subprocess.Popen([*pack, "tar", "-czf", "/backups/data.tar.gz", "/data"], stderr=subprocess.PIPE) as packing:
        _run("docker", "run", "--rm", "-v", volume, IMAGE, "alembic", "upgrade", "head")
        _, said = packing.communicate()
    assert packing.returncode == 0, said
    return time.monotonic() - began


def _timed(*command: str) -> float:
    began = time.monotonic()
    _run(*command)
    return time.monotonic() - began


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _ready(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1, verify=False).is_success
    except httpx.TransportError:
        return False
