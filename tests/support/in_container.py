"""What a command prints inside a running container.

Asked of Docker's command: docker-py's `exec_run` loses what is printed before it listens.
"""

from __future__ import annotations

import subprocess


def printed_in(container: str, *command: str) -> str:
    ended = subprocess.run(["docker", "exec", container, *command], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
