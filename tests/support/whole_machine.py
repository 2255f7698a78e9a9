"""A machine of a test's own, with its own Docker Engine: whatever happens to it happens to nobody else.

A privileged container; in it an engine on a disk of limited size, and on that engine Changeover as `docker compose up`
starts it. The orchestrator's clock can be set (libfaketime): nobody else's is.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

import docker
import httpx

from tests.support.images import build_folder, build_image, image
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import MIGRATE_BOTH_WAYS
from tests.support.user import NO_TLS, READY_S, User

DISK = 3 * 1024**3
DOOR, API = 8080, 8090
"""The ports that compose publishes, within the machine."""
FILES = ROOT / "tests" / "support" / "machine"
BASE = "debian:trixie-slim"
TRANSIENT = (502, 503, 504)
CLOCK_IS_READ_S = 1.1
"""libfaketime reads its file once a second (compose.override.yaml)."""


class Machine(User):
    """Starts on entry, with Changeover up and no app yet; nothing is left of it on exit."""

    def __init__(self, folder: Path) -> None:
        super().__init__("")
        self.journal_url = ""
        self.apps: list[str] = []
        """Those that were added and not removed."""
        self.name = f"machine-{secrets.token_hex(3)}"
        self.source = folder / "source"
        self.engine = docker.from_env()
        self.port = 0

    def __enter__(self) -> Machine:
        machine = build_folder("machine", FILES)
        images = {"changeover/proxy": build_image("proxy"), "changeover/orchestrator": self._with_a_clock_to_set()}
        images["changeover/test-shop"] = build_folder("shop", ROOT / "examples" / "shop")
        self.source.mkdir(parents=True)
        shutil.copy(ROOT / "compose.yaml", self.source)
        shutil.copy(FILES / "compose.override.yaml", self.source)
        self.config = self.source / "control-panel-config.yaml"
        self.config.write_text("apps: {}\n")
        self.set_clock(0)
        self.container = self.engine.containers.run(
            machine,
            name=self.name,
            detach=True,
            privileged=True,
            cgroupns="host",
            ports=dict.fromkeys((f"{DOOR}/tcp", f"{API}/tcp"), ("127.0.0.1", 0)),
            volumes={str(self.source): {"bind": "/source"}},
            mounts=[docker.types.Mount("/var/lib/docker", None, type="tmpfs", tmpfs_size=DISK)],
        )
        try:
            self.container.reload()
            self.port, api_port = self._published(DOOR), self._published(API)
            self.api = f"http://127.0.0.1:{api_port}"
            self.until(self._engine_answers, "the machine's engine answers")
            self._load({**images, BASE: BASE})
            self.up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # The kernel ends no process that is frozen, and Docker then no container that has it.
        self.run("sh", "-c", "docker ps -q --filter status=paused | xargs -r docker rm --force", check=False)
        self.container.remove(force=True, v=True)
        self.engine.close()
        self.close()

    def use_journal(self, url: str) -> None:
        """From now on the journal is in that database; in the machine's own SQLite file where there is no URL."""
        if url != self.journal_url:
            self.journal_url = url
            self.up()

    def down(self) -> None:
        """`docker compose down`. The network stays while a container of an app runs in it."""
        self.run("sh", "-c", "cd /source && docker compose down", check=False)

    def up(self) -> None:
        (self.source / ".env").write_text(f"CHANGEOVER_DATABASE_URL={self.journal_url}\n")
        self.run("sh", "-c", "cd /source && docker compose up --detach --no-build --quiet-pull")
        self.wait_ready()
        self.token = (self.source / ".changeover" / "token").read_text().strip()

    def what_was_logged(self) -> str:
        logs = self.run("docker", "compose", "-f", "/source/compose.yaml", "logs", "--tail", "40", check=False)
        return logs[-6000:]

    # Apps

    def add_shop(self, app: str, *, backup: str = "keep_backups: 3", disk: str = "keep_images: 2") -> Repository:
        """Configure a shop under this name, which is its host's, too; gives the repository that it is deployed from."""
        self.apps.append(app)
        content = self.source / f"{app}-content"
        shutil.copytree(ROOT / "examples" / "shop", content, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(FILES / "shop.Dockerfile", content / "Dockerfile")
        repository = Repository(self.source / app, content)
        shutil.rmtree(content)
        self.config.write_text(
            f"""
disk: {{min_free_mb: 100, {disk}}}
apps:
  {app}:
    update:
      git: {{remote: /source/{app}, branch: main}}
      background_check: {{enabled: false}}
      check_on_startup: false
      backup: {{{backup}}}
    run: {{port: 8000, data: /data}}
    route: {{host: {app}.test}}
    health: {{timeout: 15}}
    migrate: {MIGRATE_BOTH_WAYS}
    drain: {{timeout: 1, stop_timeout: 1}}
"""
        )
        self.until(lambda: any(one["name"] == app for one in self.get("/apps")["apps"]), f"{app} is configured")
        return repository

    def remove_app(self, app: str) -> None:
        """Its containers and its data, after it was taken out of the configuration."""
        self.config.write_text("apps: {}\n")
        self.until(lambda: all(one["name"] != app for one in self.get("/apps")["apps"]), f"{app} is not configured")
        label = f"label=changeover.app={app}"
        self.run("sh", "-c", f"docker ps -aq --filter {label} | xargs -r docker rm --force")
        self.run("sh", "-c", f"docker volume rm --force changeover-{app}-data; rm -rf /source/{app}")
        self.run("sh", "-c", f"docker images -q changeover/{app} | xargs -r docker rmi --force")
        self.apps = [one for one in self.apps if one != app]

    def orders(self, app: str) -> set[str]:
        """The ids in the shop's database; and that the database is sound."""
        check, orders = self._query(app, "PRAGMA integrity_check", "SELECT id FROM orders")
        assert check == [["ok"]]
        return {row[0] for row in orders}

    def tables(self, app: str) -> Any:
        """Names and definitions, and the revision that the database stands at."""
        return self._query(
            app,
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name",
            "SELECT version_num FROM alembic_version",
        )

    def _query(self, app: str, *queries: str) -> Any:
        path = f"/var/lib/docker/volumes/changeover-{app}-data/_data/shop.db"
        script = (
            "import json, sqlite3, sys\n"
            f"database = sqlite3.connect('file:{path}?mode=ro', uri=True, timeout=20)\n"
            "print(json.dumps([database.execute(one).fetchall() for one in sys.argv[1:]]))"
        )
        return json.loads(self.run("python", "-c", script, *queries))

    # What can happen to a machine

    def kill_engine(self) -> None:
        self.run("pkill", "-9", "-x", "dockerd", check=False)

    def kill_process_of(self, container: str) -> bool:
        """kill -9 of its main process, as the kernel or an operator would; True if it ran."""
        script = (
            f"pid=$(docker inspect -f '{{{{.State.Pid}}}}' {self._now_called(container)}) "
            "&& [ $pid -gt 0 ] && kill -9 $pid && echo hit"
        )
        return "hit" in self.run("sh", "-c", script, check=False)

    def rename(self, container: str, name: str) -> bool:
        """By hand; True if there was such a container."""
        return "done" in self.run(
            "sh", "-c", f"docker rename {self._now_called(container)} {name} && echo done", check=False
        )

    def _now_called(self, container: str) -> str:
        """For a shell: the container that was made under this name, whatever it is called now."""
        return f"$(docker ps -aq --filter label=changeover.name={container} | grep . || echo {container})"

    def set_clock(self, ahead_s: int) -> None:
        """Let the orchestrator's clock jump, so that it is so much ahead of the others; behind, if it is negative."""
        new = self.source / "clock.new"
        new.write_text(f"{ahead_s:+d}\n")
        new.replace(self.source / "clock")

    def containers(self, app: str, role: str) -> set[str]:
        """The names under which they were made, whatever they are called now."""
        format_ = '{{.Label "changeover.name"}}'
        filters = f"--filter label=changeover.app={app} --filter label=changeover.role={role}"
        return set(self.run("sh", "-c", f"docker ps -a --format '{format_}' {filters}", check=False).split())

    def sidecars(self, app: str) -> list[str]:
        format_ = "{{.Names}}"
        filters = f"--filter label=changeover.app={app} --filter label=changeover.role=sidecar"
        return self.run("sh", "-c", f"docker ps --format '{format_}' {filters}", check=False).split()

    def fill_disk(self) -> None:
        self.run("sh", "-c", "dd if=/dev/zero of=/var/lib/docker/filler bs=1M 2>/dev/null", check=False)

    def free_disk(self) -> None:
        self.run("rm", "-f", "/var/lib/docker/filler")

    # Asking, while parts of it may be away

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path: str) -> Any:
        """Asks again while the orchestrator is on its way back."""

        def answer() -> Any:
            try:
                found = self.request("GET", path)
            except httpx.TransportError:
                return None
            if found.status_code in TRANSIENT:
                return None
            assert found.is_success, found.text
            return [found.json()]

        return self.until(answer, f"an answer to {path}", READY_S)[0]

    def wait_ready(self) -> None:
        def ready() -> bool:
            try:
                return httpx.get(f"{self.api}/readyz", timeout=2, verify=NO_TLS).is_success
            except httpx.TransportError:
                return False

        self.until(ready, "the orchestrator is ready", READY_S * 2)

    def answers(self, app: str) -> Any:
        """What the shop says, as soon as it does."""

        def answer() -> Any:
            try:
                found = httpx.get(self.url(), headers={"Host": f"{app}.test"}, timeout=5, verify=NO_TLS)
            except httpx.TransportError:
                return None
            return found.json() if found.is_success else None

        return self.until(answer, f"{app} answers")

    def run(self, *command: str, check: bool = True) -> str:
        ended = subprocess.run(["docker", "exec", self.name, *command], capture_output=True, text=True, timeout=120)
        assert not check or ended.returncode == 0, f"{command}: {ended.stdout} {ended.stderr}"
        return ended.stdout

    def _with_a_clock_to_set(self) -> str:
        build_image("orchestrator")
        return build_folder("clock", FILES / "clock", "--build-arg", f"ORCHESTRATOR={image('orchestrator')}")

    def _load(self, images: dict[str, str]) -> None:
        """Copy images of this engine, named by the second, to the machine's, where they have the first as names."""
        saved = subprocess.Popen(["docker", "save", *images.values()], stdout=subprocess.PIPE)
        subprocess.run(
            ["docker", "exec", "-i", self.name, "docker", "load", "--quiet"],
            stdin=saved.stdout, check=True, capture_output=True,
        )  # fmt: skip
        assert saved.wait() == 0
        for name, ours in images.items():
            self.run("docker", "tag", ours, name)

    def _published(self, port: int) -> int:
        """Where on this machine's loopback a port of the other machine is to be reached."""
        return int(self.container.attrs["NetworkSettings"]["Ports"][f"{port}/tcp"][0]["HostPort"])

    def wait_engine(self) -> None:
        self.until(self._engine_answers, "the machine's engine answers")

    def _engine_answers(self) -> bool:
        version = subprocess.run(["docker", "exec", self.name, "docker", "version"], capture_output=True)
        return version.returncode == 0
