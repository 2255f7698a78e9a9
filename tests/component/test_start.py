"""The server's process, where its configuration is not valid and no valid one is known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.support.addresses import free_port
from tests.support.paths import ROOT

WITHIN_S = 60


def test_a_start_without_a_valid_configuration_goes_on_and_says_what_is_wrong(tmp_path: Path) -> None:
    """A process that ended would be started again and again, and `docker compose up` would start no proxy."""
    (tmp_path / "control-panel-config.yaml").write_text("<<<<<<< HEAD\nupdate: {}\n=======\n>>>>>>> theirs\n")
    port = free_port()
    environment = {
        **os.environ,
        "CHANGEOVER_STATE": str(tmp_path / "state"),
        "CHANGEOVER_PROXY": str(tmp_path / "proxy"),
        "CHANGEOVER_CONFIG": str(tmp_path / "control-panel-config.yaml"),
        "CHANGEOVER_TOKEN_FOLDER": str(tmp_path),
        "CHANGEOVER_API_HOST": "127.0.0.1",
        "CHANGEOVER_API_PORT": str(port),
    }
    log = tmp_path / "log"
    with log.open("wb") as said:
        command = [sys.executable, "-m", "orchestrator"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)
    try:
        ready = answer(process, f"http://127.0.0.1:{port}/readyz")
        alive = answer(process, f"http://127.0.0.1:{port}/healthz")
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=WITHIN_S)

    assert ready.status_code == 503
    assert ready.text == "waiting for a valid configuration\n"
    assert "control-panel-config.yaml:1: the file has marks of a merge conflict" in log.read_text()
    assert alive.status_code == 200
    assert (tmp_path / "proxy" / "haproxy.cfg").exists()
    assert code in (0, -signal.SIGTERM)


def answer(process: subprocess.Popen[bytes], url: str) -> httpx.Response:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the orchestrator ended"
        try:
            return httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")
