"""A PostgreSQL server of the tests' own, from Debian's packages."""

from __future__ import annotations

import ipaddress
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import docker
import psycopg

from tests.support.addresses import free_port

SERVER_USER = "postgres"
"""PostgreSQL refuses to run as root."""


def gateway(network: str) -> str:
    """This machine, as the containers of a Docker network see it."""
    with closing(docker.from_env()) as engine:
        subnet = engine.networks.get(network).attrs["IPAM"]["Config"][0]["Subnet"]
    return str(next(ipaddress.ip_network(subnet).hosts()))


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, "PostgreSQL is missing: tools/test-packages installs it"
    return found[-1]


class Postgres:
    """One server with a password, that listens to this machine and its containers."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.password = secrets.token_hex(8)
        self.port = free_port()
        self._user = SERVER_USER if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._folder, SERVER_USER, SERVER_USER)
        secret = self._folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        self._data = self._folder / "data"
        self._run(
            "initdb", "--pgdata", str(self._data), "--username", "changeover", "--pwfile", str(secret),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions",
        )  # fmt: skip
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all all scram-sha-256\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        # What the kernel has survives a crash of the server, and no test crashes the kernel.
        options = ["-c", "listen_addresses=*", "-c", "fsync=off", "-p", str(self.port), "-k", str(self._folder)]
        self._process = subprocess.Popen(
            [str(_binaries() / "postgres"), "-D", str(self._data), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            user=self._user,
            group=self._user,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL does not answer"
                time.sleep(0.05)

    def stop(self, how: int = signal.SIGINT) -> None:
        """SIGINT ends connections and writes everything down; SIGQUIT leaves as a crash does."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def create(self) -> str:
        """A new empty database; gives its name."""
        name = f"d{secrets.token_hex(4)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return name

    def url(self, database: str, host: str = "127.0.0.1") -> str:
        return f"postgresql://changeover:{self.password}@{host}:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_binaries() / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self._folder, user=self._user, group=self._user)


@contextmanager
def running() -> Iterator[Postgres]:
    server = Postgres()
    try:
        yield server
    finally:
        server.remove()
