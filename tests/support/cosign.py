"""Debian's cosign, in an image of its own: Debian 12, on which the tests may run, does not have it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.images import build_folder

DOCKERFILE = """
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends cosign && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["cosign"]
"""
OFFLINE = ("--tlog-upload=false", "--yes")


class Cosign:
    """Keys in `folder`, and signatures by them in registries of 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        made_from = folder / "cosign-image"
        made_from.mkdir()
        (made_from / "Dockerfile").write_text(DOCKERFILE)
        self._image = build_folder("cosign", made_from)

    def make_key(self, name: str) -> Path:
        """A pair of keys; gives the public one, `name.pub`, beside which is the encrypted private one, `name.key`."""
        self.run("generate-key-pair", "--output-key-prefix", name)
        return self._folder / f"{name}.pub"

    def sign(self, image: str, key: str, *more: str) -> None:
        """Sign `host/name@digest` by the key of that name, and push the signature."""
        self.run("sign", "--key", f"{key}.key", *OFFLINE, *more, image)

    def run(self, *command: str) -> str:
        """What a command printed to the standard output; its files are in the folder."""
        start = ("docker", "run", "--rm", "--network=host", f"--user={os.getuid()}", "--env=COSIGN_PASSWORD=")
        here = (f"--volume={self._folder}:{self._folder}", f"--workdir={self._folder}", "--env=HOME=/tmp")
        ended = subprocess.run([*start, *here, self._image, *command], capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout
