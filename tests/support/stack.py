"""A whole Changeover on a real engine for tests: HAProxy in its container, the orchestrator as a process of its own.

The orchestrator runs outside a container so that tests can kill it at any point and look at its files. What it drives,
Docker, BuildKit, HAProxy, Git and the app containers, is what users have.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import httpx
from docker.models.containers import Container

from tests.support.addresses import create_network, free_port
from tests.support.engine_socket import EngineSocket
from tests.support.images import image
from tests.support.paths import ROOT
from tests.support.user import DEPLOY_S, NO_TLS, User

AS_USUAL = ("-m", "orchestrator")
KILLED_AT_A_POINT = ("-m", "tests.support.crash_points")
"""How Python is told to run the orchestrator."""


class Stack(User):
    """Starts on entry; on exit everything it made on the engine is removed."""

    def __init__(
        self, folder: Path, config: str, *, state: Path | None = None, environment: dict[str, str] | None = None
    ) -> None:
        self.name = f"t{secrets.token_hex(3)}"
        self.folder = folder
        self.engine = docker.from_env()
        self.port, self.api_port = free_port(), free_port()
        self.state, self.proxy_folder = state or folder / "state", folder / "proxy"
        self.config = folder / "control-panel-config.yaml"
        self.config.write_text(config)
        self.proxy_folder.mkdir()
        self.proxy_folder.chmod(0o1777)
        self.entry: tuple[str, ...] = AS_USUAL
        self.process: subprocess.Popen[bytes] | None = None
        self._engine_socket = EngineSocket(folder / "docker.sock")
        self.environment = environment or {}
        super().__init__(f"http://127.0.0.1:{self.api_port}")
        self.log = folder / "orchestrator.log"

    def __enter__(self) -> Stack:
        create_network(self.engine, self.name)
        try:
            self.start_orchestrator(wait=False)
            self.start_proxy()
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_orchestrator()
        for container in self.engine.containers.list(all=True, filters={"network": self.name}, ignore_removed=True):
            container.remove(force=True)
        for container in self.containers():
            container.remove(force=True)
        for volume in self.volumes():
            volume.remove(force=True)
        self.engine.networks.get(self.name).remove()
        self._remove_images(f"{self.name}/")
        self.engine.close()
        self.close()
        self._engine_socket.close()

    def what_was_logged(self) -> str:
        return self.log.read_text()[-3000:]

    # The parts

    def start_orchestrator(self, *, wait: bool = True, extra: dict[str, str] | None = None) -> None:
        environment = self._environment(extra or {})
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.entry], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        if wait:
            self.wait_ready()

    def _environment(self, extra: dict[str, str]) -> dict[str, str]:
        return {
            **os.environ,
            "DOCKER_HOST": f"unix://{self._engine_socket.path}",
            "CHANGEOVER_STACK": self.name,
            "CHANGEOVER_NETWORK": self.name,
            "CHANGEOVER_TOOLS_IMAGE": image("orchestrator"),
            "CHANGEOVER_STATE": str(self.state),
            "CHANGEOVER_BACKUPS": str(self.state / "backups"),
            "CHANGEOVER_PROXY": str(self.proxy_folder),
            "CHANGEOVER_SOURCE": str(self.folder),
            "CHANGEOVER_CONFIG": str(self.config),
            "CHANGEOVER_TOKEN_FOLDER": str(self.folder),
            "CHANGEOVER_API_HOST": "127.0.0.1",
            "CHANGEOVER_API_PORT": str(self.api_port),
            "CHANGEOVER_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "CHANGEOVER_DEPLOY_PANEL": "false",
            **self.environment,
            **extra,
        }

    def start_proxy(self) -> None:
        self.until((self.proxy_folder / "haproxy.cfg").exists, "the orchestrator writes the proxy's configuration")
        self.engine.containers.run(
            image("proxy"),
            name=f"{self.name}-proxy",
            detach=True,
            network=self.name,
            ports={"8080/tcp": ("127.0.0.1", self.port)},
            volumes={str(self.proxy_folder): {"bind": "/run/changeover"}},
        )

    def until_files_are_back(self) -> None:
        self.until((self.proxy_folder / "haproxy.cfg").exists, "the orchestrator writes the proxy's files again")

    def kill_orchestrator(self, signal_number: int = signal.SIGKILL) -> int | None:
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        code = self.process.wait(timeout=120)
        self.process = None
        return code

    def restart_orchestrator(self, *, kill_at: str = "") -> None:
        """Killed without warning, and started again: as one that kills itself at this point, where one is given."""
        self.kill_orchestrator()
        self.entry = KILLED_AT_A_POINT if kill_at else AS_USUAL
        self.start_orchestrator(extra={"CRASH_AT": kill_at} if kill_at else None)

    def restart_orchestrator_if_killed(self) -> None:
        """Whatever a test has done to it: afterwards one runs that kills itself nowhere."""
        if self.process is None or self.process.poll() is not None or self.entry != AS_USUAL:
            self.restart_orchestrator()

    @contextmanager
    def without_engine(self) -> Iterator[None]:
        """Docker's socket, as the orchestrator knows it, leads nowhere for a while."""
        with self._engine_socket.closed():
            yield

    def wait_killed(self) -> None:
        """Until the orchestrator has been killed by what its entry does."""
        assert self.process is not None
        assert self.process.wait(timeout=DEPLOY_S) == -signal.SIGKILL
        self.process = None

    def second_orchestrator(self) -> tuple[int, str]:
        """Try to start another one on the same state: its exit code, and what it says."""
        ended = subprocess.run(
            [sys.executable, "-m", "orchestrator"], cwd=ROOT, env=self._environment({}), capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
        return ended.returncode, ended.stderr

    def set_config(self, text: str) -> None:
        """Save the configuration and wait until it is taken or refused."""
        if text == self.config.read_text():
            return
        self.config.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()

        def read() -> bool:
            """Taken or refused for good: one that removes an app waits until nothing is under way for it."""
            config = self.get("/config")
            return bool(config["digest"] == digest and not any("under way" in one for one in config["problems"]))

        self.until(read, "the configuration is read again")

    def wait_ready(self) -> None:
        def ready() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the orchestrator ended: {self.log.read_text()[-3000:]}")
            try:
                return self._http.get(f"http://127.0.0.1:{self.api_port}/readyz").status_code == 200
            except httpx.TransportError:
                return False

        self.until(ready, "the orchestrator is ready")
        self.token = (self.folder / "token").read_text().strip()

    # What a visitor does

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ask(self, path: str = "/", host: str = "") -> httpx.Response:
        return httpx.get(self.url(path), headers={"Host": host or self.host}, timeout=60, verify=NO_TLS)

    def post_order(self, order: str) -> httpx.Response:
        return httpx.post(self.url(f"/orders/{order}"), headers={"Host": self.host}, timeout=60, verify=NO_TLS)

    def until_release(self, version: str, *, restarted: Container) -> None:
        """Until Docker has started this container again, since it was read last, and the release answers."""
        before = restarted.attrs["RestartCount"]

        def back() -> bool:
            restarted.reload()
            running = restarted.attrs["RestartCount"] > before and restarted.status == "running"
            return running and bool(self.ask().json()["release"] == version)

        self.until(back, f"{version} is back")

    def until_it_answers(self) -> httpx.Response:
        def answer() -> httpx.Response | None:
            try:
                found = self.ask()
            except httpx.TransportError:
                return None
            return found if found.is_success else None

        found = self.until(answer, "the shop answers")
        assert isinstance(found, httpx.Response)
        return found

    @property
    def command_environment(self) -> dict[str, str]:
        return os.environ | {"CHANGEOVER_URL": f"http://127.0.0.1:{self.api_port}", "CHANGEOVER_TOKEN": self.token}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `changeover` as a user in a terminal would."""
        return subprocess.run(
            [sys.executable, "-m", "panel.cli", *arguments],
            cwd=ROOT, env=self.command_environment, capture_output=True, text=True, timeout=DEPLOY_S,
        )  # fmt: skip

    # What a test looks at

    def remove_app(self, name: str) -> None:
        """What is left on the engine of an app that is not configured any more."""
        for container in self.containers():
            if container.labels.get("changeover.app") == name:
                container.remove(force=True)
        for volume in self.volumes():
            if volume.name.startswith(f"{self.name}-{name}-"):
                volume.remove(force=True)
        self._remove_images(f"{self.name}/{name}:")

    def _remove_images(self, prefix: str) -> None:
        # Not `images.list`, which looks at each image once more: others remove theirs meanwhile.
        tags = {tag for found in self.engine.api.images() for tag in found["RepoTags"] or () if tag.startswith(prefix)}
        for tag in tags:
            self.engine.images.remove(tag, force=True)

    def containers(self) -> list[Any]:
        return self.engine.containers.list(
            all=True, filters={"label": f"changeover.stack={self.name}"}, ignore_removed=True
        )

    def volumes(self) -> list[Any]:
        return self.engine.volumes.list(filters={"label": f"changeover.stack={self.name}"})


MIGRATE = "{command: alembic upgrade head, timeout: 60}"
MIGRATE_BOTH_WAYS = (
    "{command: alembic upgrade head, status: python migrations/status.py, "
    'down: "alembic downgrade {revision}", timeout: 60}'
)
MIGRATE_UP_ONLY = "{command: alembic upgrade head, status: python migrations/status.py, timeout: 60}"


ON_SQLITE = "run: {port: 8000, data: /data}"
ON_POSTGRESQL = """run: {{port: 8000, env: {{SHOP_DATABASE_URL: "{url}"}}}}
    backup:
      dump: sh -c 'pg_dump --file=$CHANGEOVER_DUMP/shop.sql $SHOP_DATABASE_URL'
      # A setting that a newer pg_dump names and an older server does not know is left out.
      restore: >
        sh -c 'sed -i /transaction_timeout/d $CHANGEOVER_DUMP/shop.sql &&
        psql --quiet --single-transaction --set ON_ERROR_STOP=1
        --command "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner;
        GRANT USAGE ON SCHEMA public TO PUBLIC; COMMENT ON SCHEMA public IS \\$\\$standard public schema\\$\\$"
        --file $CHANGEOVER_DUMP/shop.sql $SHOP_DATABASE_URL'"""


NO_APPS = "disk: {min_free_mb: 100}\n"


def shop_config(
    repository: Path,
    *,
    name: str = "shop",
    extra: str = "",
    drain_s: float = 2,
    migrate: str = MIGRATE,
    postgres_url: str = "",
) -> str:
    return f"""
{NO_APPS}apps:
  {name}:
    update: {{git: {{remote: {json.dumps(str(repository))}, branch: main}}}}
    {ON_POSTGRESQL.format(url=postgres_url) if postgres_url else ON_SQLITE}
    route: {{host: {name}.test}}
    health: {{timeout: 30}}
    migrate: {migrate}
    drain: {{timeout: {drain_s}, stop_timeout: 5}}
{extra}
"""
