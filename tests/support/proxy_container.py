"""A real HAProxy alone, in the image that Changeover uses and without an orchestrator or apps."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import docker
import httpx

from tests.support.addresses import free_port
from tests.support.images import image

STARTED_WITHIN_S = 20.0


def gateway() -> str:
    """The address at which containers on Docker's own bridge reach this machine."""
    client = docker.from_env()
    try:
        return str(client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"])
    finally:
        client.close()


class ProxyContainer:
    """Runs on the files in `folder`, published on 127.0.0.1. `mounts`: what else it sees, path here -> path there."""

    def __init__(
        self, folder: Path, *, command: list[str] | None = None, mounts: dict[Path, str] | None = None
    ) -> None:
        self.folder, self.port = folder, free_port()
        self._engine = docker.from_env()
        self._command = command
        self._mounts = mounts or {}
        self._container: Any = None

    def start(self) -> None:
        binds = {str(here): {"bind": there} for here, there in {self.folder: "/run/changeover", **self._mounts}.items()}
        self._container = self._engine.containers.run(
            image("proxy"), self._command, detach=True, volumes=binds, ports={"8080/tcp": ("127.0.0.1", self.port)}
        )
        self._wait_until_up()

    def restart(self) -> None:
        self._container.restart(timeout=5)
        self._wait_until_up()

    def stop_gently(self) -> None:
        """Ask the proxy to stop, as Docker does first (STOPSIGNAL)."""
        self._container.kill("SIGUSR1")

    def freeze(self, pid: int) -> None:
        """Stop one of its processes (SIGSTOP), by its id in the container: it answers nothing any more."""
        pids = [int(process[1]) for process in self._container.top()["Processes"]]
        os.kill(next(one for one in pids if _id_inside(one) == pid), signal.SIGSTOP)

    def _wait_until_up(self) -> None:
        """The worker may serve before the master takes commands.

        The worker is asked until it has answered once: a server behind it that keeps connections would make each
        further request wait for the one before.
        """
        deadline = time.monotonic() + STARTED_WITHIN_S
        for is_there in (self._takes_commands, self._answers):
            while not is_there():
                assert time.monotonic() < deadline, self._container.logs().decode()
                time.sleep(0.02)

    def remove(self) -> None:
        if self._container is not None:
            self._container.remove(force=True)
            self._container = None

    def get(self, path: str = "/", host: str = "other.test") -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", headers={"host": host}, timeout=10, verify=False)

    def _takes_commands(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as master:
                master.connect(str(self.folder / "master.sock"))
        except OSError:
            return False
        return True

    def _answers(self) -> bool:
        try:
            httpx.get(f"http://127.0.0.1:{self.port}/", timeout=STARTED_WITHIN_S, verify=False)
        except httpx.TransportError:
            return False
        return True

    def __enter__(self) -> ProxyContainer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()
        self._engine.close()


def _id_inside(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[-1]) for line in status.splitlines() if line.startswith("NSpid:"))


class Asking:
    """Clients that keep asking, half on kept-alive connections and half on new ones; what failed is kept."""

    def __init__(self, proxy: ProxyContainer, path: str = "/", host: str = "other.test", clients: int = 4) -> None:
        self.failures: list[str] = []
        self.answers: list[tuple[float, str]] = []
        """When each request began, and who answered."""
        self._url, self._host = f"http://127.0.0.1:{proxy.port}{path}", host
        self._stop = threading.Event()
        self._clients = [threading.Thread(target=self._ask, args=(number % 2 == 0,)) for number in range(clients)]

    def __enter__(self) -> Asking:
        for client in self._clients:
            client.start()
        while len(self.answers) < len(self._clients) and not self.failures:
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for client in self._clients:
            client.join()

    def _ask(self, kept_alive: bool) -> None:
        limits = httpx.Limits(max_keepalive_connections=1 if kept_alive else 0)
        with httpx.Client(limits=limits, timeout=10, verify=False) as client:
            while not self._stop.is_set():
                began = time.monotonic()
                try:
                    answer = client.get(self._url, headers={"host": self._host})
                except httpx.TransportError as error:
                    self.failures.append(repr(error))
                    continue
                if answer.is_success:
                    self.answers.append((began, answer.text))
                else:
                    self.failures.append(f"{answer.status_code} {answer.text[:80]}")
