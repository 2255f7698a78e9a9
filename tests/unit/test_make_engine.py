"""`make engine` says what keeps it from an engine that runs. Docker is a program that refuses."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

DENIED = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
AWAY = "Cannot connect to the Docker daemon at tcp://build.example.com:2376. Is the docker daemon running?"
DOCKER = """#!/bin/sh
case "$*" in
    version*) echo "$SAYS" >&2; exit 1;;
    *) exit 0;;
esac
"""


@pytest.mark.parametrize(
    ("says", "host", "told"),
    [
        (DENIED, "", "sudo usermod -aG docker"),
        (AWAY, "tcp://build.example.com:2376", "DOCKER_HOST is tcp://build.example.com:2376"),
    ],
)
def test_no_engine_is_started_where_that_would_not_help(tmp_path: Path, says: str, host: str, told: str) -> None:
    """It started a second one, waited for a minute, and said that it did not answer."""
    for name, text in (("docker", DOCKER), ("dockerd", '#!/bin/sh\ntouch "$STARTED"\n'), ("systemctl", "#!/bin/sh\n")):
        program = tmp_path / name
        program.write_text(text)
        program.chmod(0o755)
    started = tmp_path / "started"
    environment = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    environment |= {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SAYS": says, "STARTED": str(started)}
    environment |= {"DOCKER_HOST": host} if host else {}

    ended = subprocess.run(
        ["bash", str(ROOT / "tools" / "engine")], env=environment, capture_output=True, text=True, timeout=10
    )

    assert ended.returncode == 1
    assert told in ended.stderr, ended.stderr
    assert not started.exists()
