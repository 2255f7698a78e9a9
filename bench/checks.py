"""What checks of updates take: fifty apps of three hosts, each checked every minute, and one app, in the same run.

The hosts are git's own http-backend, a package index, and Debian's docker-registry. Each is reached through a relay
that counts what waits there at the same time. All apps are live, and no host has anything new, as on most days.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.status import APP, SIDE_BY_SIDE
from tests.support.counting_relay import CountingRelay
from tests.support.git_server import GitServer
from tests.support.images import build_folder, build_image, image
from tests.support.package_index import Served, StaticIndex, sdist
from tests.support.registry import Registry
from tests.support.repository import Repository
from tests.support.results import keep_result
from tests.support.stack import Stack

MANY = 50
INTERVAL_S = 60
SETTLE_S, WATCH_S = 15, 2 * INTERVAL_S
DOCKERFILE = 'FROM {base}\nHEALTHCHECK NONE\nCOPY app.py /app.py\nCMD ["python", "/app.py"]\n'
AS_IN_THE_IMAGE = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""As the Dockerfile sets them."""


@dataclass(frozen=True)
class Checked:
    """`core_percent`: of one core, by the process and its children. `most`: the most requests that waited at the same
    time, by host. `requests`: all of them in the time that was watched."""

    memory_mb: float
    core_percent: float
    most: dict[str, int]
    requests: int

    def __str__(self) -> str:
        most = ", ".join(f"{host} {count}" for host, count in self.most.items())
        return (
            f"{self.memory_mb:.1f} MB, {self.core_percent:.2f} % of a core, {self.requests} requests in {WATCH_S} s, "
            f"at a time: {most}"
        )


@dataclass(frozen=True)
class Measured:
    one: Checked
    many: Checked

    @property
    def more_mb(self) -> float:
        return self.many.memory_mb - self.one.memory_mb

    @property
    def most(self) -> int:
        return max(self.many.most.values())

    def __str__(self) -> str:
        return f"checks every {INTERVAL_S} s:\n  one app: {self.one}\n  {MANY} apps: {self.many}"


def measure() -> Measured:
    """On a stack of its own. The package index comes first: its libraries are loaded for one app as for many."""
    with tempfile.TemporaryDirectory() as temporary, _hosts(Path(temporary)) as hosts:
        folder = Path(temporary) / "stack"
        folder.mkdir()
        with Stack(folder, _configuration(hosts, 1), environment=AS_IN_THE_IMAGE) as stack:
            one = _watched(stack, hosts, 1)
            return Measured(one, _watched(stack, hosts, MANY))


def _watched(stack: Stack, hosts: dict[str, CountingRelay], count: int) -> Checked:
    """Make so many apps live, start the orchestrator again, and watch it."""
    stack.set_config(_configuration(hosts, count))
    waiting = [app["name"] for app in stack.get("/apps")["apps"] if app["name"] != "panel" and not app["active"]]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        ends = list(pool.map(stack.deploy, waiting))
    assert all(end["state"] == "live" for end in ends), [end["failure"] for end in ends if end["failure"]]
    for host in hosts.values():
        host.forget()
    stack.restart_orchestrator()  # all apps are due at once
    time.sleep(SETTLE_S)
    at_start = {name: host.most for name, host in hosts.items()}
    for host in hosts.values():
        host.forget()
    assert stack.process is not None
    process = Path(f"/proc/{stack.process.pid}")
    before = _ticks(process)
    time.sleep(WATCH_S)
    used = (_ticks(process) - before) / os.sysconf("SC_CLK_TCK")
    resident = (process / "status").read_text().partition("VmRSS:")[2].split()[0]
    most = {name: max(host.most, at_start[name]) for name, host in hosts.items()}
    requests = sum(host.requests for host in hosts.values())
    assert requests >= count, f"{requests} requests of {count} apps: not all were checked"
    failed = [
        one for one in stack.log.read_text().splitlines() if "update check failed" in one and "app=panel" not in one
    ]
    assert not failed, failed[:3]
    return Checked(int(resident) / 1024, 100 * used / WATCH_S, most, requests)


def _ticks(process: Path) -> int:
    """What a process, and those of its children that have ended, have used of processors (proc_pid_stat(5))."""
    fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15]))


@contextmanager
def _hosts(folder: Path) -> Iterator[dict[str, CountingRelay]]:
    """Each with everything that its apps need."""
    content = folder / "content"
    content.mkdir()
    files = {"app.py": APP, "Dockerfile": DOCKERFILE.format(base=image("orchestrator"))}
    for name, text in files.items():
        (content / name).write_text(text)
    index = StaticIndex()
    (folder / "registry").mkdir()
    with ExitStack() as running:
        git = running.enter_context(GitServer(folder / "served", token=""))
        packages = running.enter_context(Served(index.answer))
        registry = running.enter_context(Registry(folder / "registry"))
        built = build_folder("bench-checks", content)
        repository = Repository(folder / "repository", content)
        for number in range(MANY):
            name = f"app{number}"
            match number % 3:
                case 0:
                    index.add(name, f"{name}-1.0.tar.gz", sdist(name, "1.0", files))
                case 1:
                    bare = folder / "served" / f"{name}.git"
                    subprocess.run(["git", "clone", "--quiet", "--bare", str(repository.path), str(bare)], check=True)
                case _:
                    registry.push(built, f"{name}:stable")
        urls = {"index": packages.url, "git": git.url, "registry": f"http://{registry.host}"}
        yield {name: running.enter_context(CountingRelay(url)) for name, url in urls.items()}


def _configuration(hosts: dict[str, CountingRelay], count: int) -> str:
    apps = "".join(
        f"  app{number}:\n    update: {{{_source(hosts, number)}, background_check: {{interval: {INTERVAL_S}}}}}\n"
        f"    route: {{host: app{number}.test}}\n    health: {{path: /}}\n"
        for number in range(count)
    )
    return f"disk: {{min_free_mb: 100}}\nproxy: {{spare_backends: {MANY}}}\nupdate: {{enabled: false}}\napps:\n{apps}"


def _source(hosts: dict[str, CountingRelay], number: int) -> str:
    match number % 3:
        case 0:
            url = f"{hosts['index'].url}/simple/"
            return f"source: pypi, pypi: {{package_name: app{number}, index_url: '{url}'}}"
        case 1:
            url = f"{hosts['git'].url}/app{number}.git"
            return f"git: {{remote: '{url}', branch: main, fetch_interval: {INTERVAL_S}}}"
        case _:
            name = f"{hosts['registry'].host}/app{number}"
            return f"source: registry, registry: {{image: '{name}', tag: stable, insecure: true}}"


def main() -> int:
    """`python -m bench.checks`: these figures alone."""
    for target in ("proxy", "orchestrator"):
        build_image(target)
    found = measure()
    print(found)
    for count, one in ((1, found.one), (MANY, found.many)):
        keep_result("checks", apps=count, **vars(one))
    is_met = found.most == 1 and found.many.core_percent < 2 and found.more_mb <= 10
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
