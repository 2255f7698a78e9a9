"""Changeover as a newcomer installs it: a clone of this repository, and `make up` in it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import httpx

from tests.support.addresses import free_port, free_subnet
from tests.support.paths import ROOT
from tests.support.user import NO_TLS

UP_S = 600


class Installation:
    """A clone with ports, a network and names of its own, beside whatever else runs on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"i{secrets.token_hex(3)}"
        self.port, self.api_port = free_port(), free_port()
        subnet, addresses = free_subnet()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CHANGEOVER_")},
            "CHANGEOVER_STACK": self.name,
            "CHANGEOVER_PORT": str(self.port),
            "CHANGEOVER_API_PORT": str(self.api_port),
            "CHANGEOVER_SUBNET": subnet,
            "CHANGEOVER_IP_RANGE": addresses,
        }
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        # What is not committed yet belongs to what is tested, too.
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes((ROOT / name).read_bytes())
                (folder / name).chmod((ROOT / name).stat().st_mode)
        self.git("config", "user.name", "Test")
        self.git("config", "user.email", "test@example.com")
        self.commit("chore: the tree under test")

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.folder), *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", target], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=UP_S
        )

    def lend_packages(self) -> None:
        """The packages of this run, instead of new ones: `make venv` has nothing to do, and `.venv/bin/changeover` is
        the clone's own command.
        """
        environment = self.folder / ".venv"
        (environment / "bin").mkdir(parents=True)
        for name, words in (("python", ""), ("changeover", "-m panel.cli ")):
            program = environment / "bin" / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} {words}"$@"\n')
            program.chmod(0o755)
        (environment / "bin" / "activate").write_text(f"VIRTUAL_ENV={environment.resolve()}\n")
        wanted = [(self.folder / name).read_bytes() for name in ("requirements/dev.txt", "pyproject.toml")]
        (environment / ".requirements").write_bytes(b"".join(wanted))

    def up(self) -> subprocess.CompletedProcess[str]:
        """What `make up` does once the engine and the packages are there."""
        return subprocess.run(
            ["tools/up"], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=UP_S
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`changeover` in the clone, as `make up` says it is called."""
        environment = self.environment | {"CHANGEOVER_URL": f"http://127.0.0.1:{self.api_port}"}
        return subprocess.run(
            [".venv/bin/changeover", *arguments],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=UP_S,
        )  # fmt: skip

    def json(self, *arguments: str) -> Any:
        answer = self.command(*arguments, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def app(self, name: str = "panel") -> Any:
        return next(app for app in self.json("status")["apps"] if app["name"] == name)

    @property
    def token(self) -> str:
        return (self.folder / ".changeover" / "token").read_text().strip()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def remove(self) -> None:
        """Everything that `make up` and deployments made on the engine."""
        engine = docker.from_env()
        label = f"changeover.stack={self.name}"
        # The orchestrator first: it would see to it that containers which vanish come back.
        subprocess.run(
            ["docker", "compose", "kill", "orchestrator"], cwd=self.folder, env=self.environment, capture_output=True
        )
        for container in engine.containers.list(all=True, filters={"label": label}, ignore_removed=True):
            container.remove(force=True)
        down = ["docker", "compose", "down", "--volumes", "--timeout", "2"]
        subprocess.run(down, cwd=self.folder, env=self.environment, capture_output=True)
        for volume in engine.volumes.list(filters={"label": label}):
            volume.remove(force=True)
        for image in engine.images.list():
            for tag in image.tags:
                if tag.startswith(f"{self.name}/"):
                    engine.images.remove(tag, force=True)
        engine.images.prune({"label": f"com.docker.compose.project={self.name}"})
        engine.close()

    @property
    def gateway(self) -> str:
        """This host's address in the network of the installation, at which containers reach it."""
        with closing(docker.from_env()) as engine:
            networks = engine.containers.get(self.orchestrator).attrs["NetworkSettings"]["Networks"]
            return str(networks[self.name]["Gateway"])

    @property
    def orchestrator(self) -> str:
        """The name of the orchestrator's container."""
        return f"{self.name}-orchestrator-1"

    def configure(self, text: str) -> None:
        """Save the configuration file, and wait until it is in use."""
        file = self.folder / "control-panel-config.yaml"
        file.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()

        def is_read() -> bool:
            headers = {"Authorization": f"Bearer {self.token}"}
            answer = httpx.get(f"http://127.0.0.1:{self.api_port}/v1/config", headers=headers, verify=NO_TLS).json()
            assert not (answer["digest"] == digest and answer["problems"]), answer
            return bool(answer["digest"] == digest)

        self.until(is_read, "the configuration is in use")

    def until(self, holds: Any, what: str, seconds: float = 120) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := holds():
                return found
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {what}")
