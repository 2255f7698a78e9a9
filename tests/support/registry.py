"""Debian's docker-registry as a process on 127.0.0.1, with or without a password, and images to put into it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path
from types import TracebackType

import httpx

from tests.support.addresses import free_port
from tests.support.user import NO_TLS

START_S = 60
CONFIG = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
NOTIFIES = """
notifications:
  endpoints:
    - {{name: changeover, url: "{url}", headers: {{Authorization: [Bearer {secret}]}},
       timeout: 10s, threshold: 3, backoff: 1s}}
"""
WITH_PASSWORD = "auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"


USER, PASSWORD = "ci", "secret-of-ci"
_PASSWORD_FILE = "ci:$2y$05$9xJBIKjsDqoq1W.OtzGOAuKZS31m980Zc9GuSBirpwgYVXtI9X51e\n"


class Registry:
    """Starts on entry, ends on exit. A `private` one is for USER with PASSWORD alone. `notifies`: the address of a hook
    and the secret."""

    def __init__(self, folder: Path, *, private: bool = False, notifies: tuple[str, str] | None = None) -> None:
        self._folder = folder
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        text = CONFIG.format(folder=folder, port=self.port)
        self._credentials = f"{USER}:{PASSWORD}" if private else ""
        if private:
            (folder / "htpasswd").write_text(_PASSWORD_FILE)
            text += WITH_PASSWORD.format(folder=folder)
        if notifies:
            text += NOTIFIES.format(url=notifies[0], secret=notifies[1])
        (folder / "registry.yaml").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Registry:
        log = (self._folder / "registry.log").open("wb")
        command = ["docker-registry", "serve", str(self._folder / "registry.yaml")]
        self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_S
        while True:
            try:
                httpx.get(f"http://{self.host}/v2/", timeout=5, verify=NO_TLS)
                return self
            except httpx.TransportError:
                assert self._process.poll() is None, (self._folder / "registry.log").read_text()
                assert time.monotonic() < deadline, "the registry does not answer"
                time.sleep(0.05)

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=60)

    def push(self, local: str, name: str) -> str:
        """Tag and push a local image as `name:tag`. Returns the digest of its manifest."""
        there = f"{self.host}/{name}"
        for command in (("tag", local, there), ("push", "--quiet", there), ("rmi", "--no-prune", there)):
            subprocess.run(["docker", *command], check=True, capture_output=True, env=self._environment())
        repository, _, tag = name.partition(":")
        accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
        user = tuple(self._credentials.split(":")) if self._credentials else None
        answer = httpx.head(
            f"http://{self.host}/v2/{repository}/manifests/{tag}",
            headers={"accept": accept},
            auth=(user[0], user[1]) if user else None,
            verify=NO_TLS,
        )
        return str(answer.headers["docker-content-digest"])

    def _environment(self) -> dict[str, str]:
        """The docker command is signed in with the password, and nobody else's is used."""
        config = self._folder / "docker"
        config.mkdir(exist_ok=True)
        auth = {"auth": base64.b64encode(self._credentials.encode()).decode()}
        (config / "config.json").write_text(json.dumps({"auths": {self.host: auth} if self._credentials else {}}))
        return os.environ | {"DOCKER_CONFIG": str(config)}
