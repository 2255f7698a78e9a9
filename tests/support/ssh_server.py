"""OpenSSH's server (sshd(8)) on a port of 127.0.0.1, with keys of its own."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.support.addresses import free_port

SSHD = "/usr/sbin/sshd"
WITHIN_S = 20.0
_CONFIGURATION = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


def new_key(file: Path, passphrase: str = "", kind: str = "ed25519") -> None:
    """A private key `file`, and its public key `file.pub`. An RSA key is written as PEM, as old ones are."""
    form = ("-m", "PEM") if kind == "rsa" else ()
    command = ["ssh-keygen", "-q", *form, "-t", kind, "-N", passphrase, "-C", "test", "-f", str(file)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


class SshServer:
    """Lets `key` in, as the user who runs the tests, to every repository of this machine. Its own is `known_hosts`."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        folder.mkdir()
        self.folder = folder
        self.key = folder / "key"
        self.address = address
        new_key(self.key)
        new_key(folder / "host_key")
        (folder / "authorized_keys").write_text((folder / "key.pub").read_text())
        self.port = free_port()
        (folder / "sshd_config").write_text(_CONFIGURATION.format(port=self.port, folder=folder))

    @property
    def known_hosts(self) -> str:
        kind, key, *_ = (self.folder / "host_key.pub").read_text().split()
        return f"[{self.address}]:{self.port} {kind} {key}\n"

    def url(self, repository: Path) -> str:
        return f"ssh://{getpass.getuser()}@{self.address}:{self.port}{repository}"

    def replace_host_key(self) -> None:
        """As a server that was installed anew, or another one in its place. It is started again."""
        self._stop()
        (self.folder / "host_key").unlink()
        new_key(self.folder / "host_key")
        self._start()

    def _start(self) -> None:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # it does not start without, as root
        log = (self.folder / "log").open("ab")
        command = [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + WITHIN_S
        while not self._answers():
            says = (self.folder / "log").read_text()
            assert self._process.poll() is None, says
            assert time.monotonic() < deadline, says
            time.sleep(0.02)

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def _stop(self) -> None:
        self._process.terminate()
        self._process.wait(WITHIN_S)

    def __enter__(self) -> SshServer:
        self._start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop()
