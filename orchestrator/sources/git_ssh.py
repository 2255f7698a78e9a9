"""SSH for a Git remote: the client's whole configuration, and what it prints when it fails.

The machine's own configuration, keys, agent and known hosts are not used (ssh_config(5)): what is used is in the
configuration file of Changeover, and nothing else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from border.plain import plain
from border.secrets import Secrets
from orchestrator.config.secret_file import SecretUnreadable, read_secret
from orchestrator.config.source_schema import GitSource
from orchestrator.config.ssh_files import has_passphrase
from orchestrator.domain.own_address import INSTEAD, is_own, why_own
from orchestrator.domain.source_names import missing_for_ssh, ssh_server
from orchestrator.errors import StepFailed

SSH_COMMAND = "GIT_SSH_COMMAND"
CONNECT_WITHIN_S, SILENT_FOR_S, SILENCES = 20, 15, 4
"""A server that does not answer is given up after 20 s, one that falls silent after a minute."""

_CONFIGURATION = """\
Host *
    IdentityFile {key}
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {known_hosts}
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    UpdateHostKeys no
    BatchMode yes
    PreferredAuthentications publickey
    ClearAllForwardings yes
    ConnectTimeout {connect_within_s}
    ServerAliveInterval {silent_for_s}
    ServerAliveCountMax {silences}
"""

_CHANGED = re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed")
_UNKNOWN = re.compile(r"No .*host key is known for|Host key verification failed")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/=]+")
_NOT_READ = re.compile(r"Load key \"[^\"]*\": (.+)")
_REFUSED = re.compile(r"Permission denied \(|Too many authentication failures")
_NOT_REACHED = re.compile(
    r"Could not resolve hostname|Connection (?:refused|timed out|reset|closed)|No route to host|unreachable"
    r"|Connection to .* timed out|kex_exchange_identification|banner exchange"
)
_NO_REPOSITORY = re.compile(r"Repository not found|does not appear to be a git repository|could not be found|not exist")


@contextmanager
def ssh_environment(settings: GitSource, folder: Path, remote: str, known_secrets: Secrets) -> Iterator[dict[str, str]]:
    """The environment in which git reaches the remote by SSH. `folder` is the configuration file's.

    ssh refuses a key that others may read, and the container's root does not own the files of the host. So it reads a
    copy in memory, of which nothing is left when the command or this process ends, in whatever way. Raises StepFailed
    when a file is not configured or cannot be read.
    """
    if why := missing_for_ssh(remote, settings.key_file, settings.known_hosts_file):
        raise StepFailed(f"The repository cannot be read: {why}.", "Correct the configuration file.")
    try:
        key = read_secret(folder, settings.key_file or "").replace("\r\n", "\n")
        known_hosts = read_secret(folder, settings.known_hosts_file or "", is_secret=False)
    except SecretUnreadable as error:
        raise StepFailed(error.cause, error.remedy) from error
    if has_passphrase(key):
        raise StepFailed(
            f"The key {settings.key_file} has a passphrase, which nobody can type here.",
            "Make a key without one for this host alone (ssh-keygen -t ed25519 -N ''), and allow it to read.",
        )
    known_secrets.know(line for line in key.splitlines() if not line.startswith("-----"))
    with in_memory(key) as key_path, in_memory(known_hosts) as known_hosts_path:
        configuration = _CONFIGURATION.format(
            key=key_path,
            known_hosts=known_hosts_path,
            connect_within_s=CONNECT_WITHIN_S,
            silent_for_s=SILENT_FOR_S,
            silences=SILENCES,
        )
        with in_memory(configuration) as path:
            yield {SSH_COMMAND: f"ssh -F {path}", "GIT_SSH_VARIANT": "ssh"}


@contextmanager
def in_memory(text: str) -> Iterator[str]:
    """The path of a file with this text that is on no disk, which processes of the same user can read (memfd_create(2),
    proc_pid_fd(5)). ssh closes the descriptors that it inherits, and so cannot have this one.
    """
    descriptor = os.memfd_create("changeover-ssh")
    try:
        os.fchmod(descriptor, 0o600)
        with open(descriptor, "w", closefd=False) as file:
            file.write(f"{text}\n")
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def why_ssh_failed(said: str, remote: str, settings: GitSource) -> tuple[str, str] | None:
    """The cause and what to do, by what ssh and the server printed. None for what only git knows."""
    host, port = ssh_server(remote)
    key_file, known_hosts = settings.key_file, settings.known_hosts_file
    # Not with the key as it was just read: whoever stands between would be believed.
    scan = f"ssh-keyscan {f'-p {port} ' if port else ''}{host}"
    if _CHANGED.search(said):
        shown = f" ({found[0]})" if (found := _FINGERPRINT.search(said)) else ""
        return (
            f"the server {host} has another key{shown} than {known_hosts} says of it: it was replaced, or somebody "
            "answers in its place",
            "Compare this fingerprint with the one that the server's owner publishes. Only if they are the same, "
            f"replace the server's lines in {known_hosts} by the output of: {scan}",
        )
    if _UNKNOWN.search(said):
        return (
            f"{known_hosts} has no key of the server {host}",
            f"Append the output of '{scan}' to {known_hosts}, after comparing its fingerprint (ssh-keygen -lf) with "
            "the one that the server's owner publishes.",
        )
    if found := _NOT_READ.search(said):
        return f"{key_file} is no private key of SSH ({plain(found[1])})", "Correct update.git.key_file."
    if _REFUSED.search(said):
        return (
            f"the server {host} does not accept the key {key_file}",
            f"Add its public key to the deploy keys of the repository: 'ssh-keygen -y -f {key_file}' prints it. The "
            "user in update.git.remote may be wrong, too: forges expect git@.",
        )
    if _NO_REPOSITORY.search(said):
        return (
            f"the server {host} has no such repository that the key {key_file} may read",
            "Correct the path in update.git.remote, or give the key access to the repository.",
        )
    if _NOT_REACHED.search(said):
        line = next(line for line in said.splitlines() if _NOT_REACHED.search(line))
        return (
            f"the server {host} is not reached: {plain(line).removeprefix('ssh: ')}",
            f"{why_own(host).capitalize()}. {INSTEAD}."
            if is_own(host)
            else "Check host and port in update.git.remote, and that this host reaches them.",
        )
    return None
