"""The server's process, where its configuration or its journal is not there at the start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.addresses import free_port
from tests.support.paths import ROOT
from tests.support.user import NO_TLS

WITHIN_S = 60


@contextmanager
def started(folder: Path, configuration: str, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """An orchestrator, and the URL of its API. It is ended by SIGTERM."""
    (folder / "control-panel-config.yaml").write_text(configuration)
    port = free_port()
    environment = {
        **os.environ,
        "CHANGEOVER_STATE": str(folder / "state"),
        "CHANGEOVER_PROXY": str(folder / "proxy"),
        "CHANGEOVER_CONFIG": str(folder / "control-panel-config.yaml"),
        "CHANGEOVER_TOKEN_FOLDER": str(folder),
        "CHANGEOVER_API_HOST": "127.0.0.1",
        "CHANGEOVER_API_PORT": str(port),
        **more,
    }
    with (folder / "log").open("wb") as said:
        command = [sys.executable, "-m", "orchestrator"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=WITHIN_S)
    assert code in (0, -signal.SIGTERM)


def test_a_start_without_a_valid_configuration_goes_on_and_says_what_is_wrong(tmp_path: Path) -> None:
    """A process that ended would be started again and again, and `docker compose up` would start no proxy."""
    with started(tmp_path, "<<<<<<< HEAD\nupdate: {}\n=======\n>>>>>>> theirs\n") as (process, url):
        ready = answer(process, f"{url}/readyz")
        alive = answer(process, f"{url}/healthz")

    assert ready.status_code == 503
    assert ready.text == "waiting for a valid configuration\n"
    assert "control-panel-config.yaml:1: the file has marks of a merge conflict" in (tmp_path / "log").read_text()
    assert alive.status_code == 200
    assert (tmp_path / "proxy" / "haproxy.cfg").exists()


def test_a_start_without_its_journal_waits_for_it_says_so_and_goes_on(tmp_path: Path) -> None:
    in_the_way = tmp_path / "state" / "journal.db"
    in_the_way.mkdir(parents=True)
    with started(tmp_path, "apps: {}\n") as (process, url):
        ready = answer(process, f"{url}/readyz")
        status = answer(process, f"{url}/v1/apps")
        in_the_way.rmdir()
        while answer(process, f"{url}/readyz").text == "waiting for the journal\n":
            time.sleep(0.05)

    assert (ready.status_code, ready.text) == (503, "waiting for the journal\n")
    assert status.status_code == 503
    assert "has waited for its journal since" in status.json()["detail"]
    assert "unable to open database file" in status.json()["detail"]
    assert in_the_way.is_file()
    assert (tmp_path / "token").exists()


def test_a_start_waits_for_a_database_server_and_says_which_error_it_meets(tmp_path: Path) -> None:
    away = "postgresql://changeover:tell-nobody@127.0.0.1:1/journal"
    with started(tmp_path, "apps: {}\n", CHANGEOVER_DATABASE_URL=away) as (process, url):
        alive, ready = answer(process, f"{url}/healthz"), answer(process, f"{url}/readyz")
        status = answer(process, f"{url}/v1/apps").json()

    said = (tmp_path / "log").read_text()
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert "Connection refused" in status["detail"]
    assert "Check that it runs and can be reached" in status["detail"]
    assert "Traceback" not in said
    assert "tell-nobody" not in said + str(status)


def test_a_signal_ends_a_start_that_waits_for_its_journal(tmp_path: Path) -> None:
    (tmp_path / "state" / "journal.db").mkdir(parents=True)
    with started(tmp_path, "apps: {}\n") as (process, url):
        answer(process, f"{url}/healthz")
        began = time.monotonic()
    assert time.monotonic() - began < WITHIN_S / 2


def answer(process: subprocess.Popen[bytes], url: str) -> httpx.Response:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the orchestrator ended"
        try:
            return httpx.get(url, verify=NO_TLS)
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")
