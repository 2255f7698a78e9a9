"""A repository that is reached by SSH, on a real server of OpenSSH."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from border.secrets import Secrets
from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.sources.git import GitRepository
from tests.support.addresses import free_port
from tests.support.git_repository import Remote
from tests.support.paths import ROOT
from tests.support.ssh_server import SshServer, new_key


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with SshServer(tmp_path / "sshd") as running:
        (tmp_path / "key").write_text(running.key.read_text())
        (tmp_path / "key").chmod(0o644)  # as a file of the host in the container may be
        (tmp_path / "known_hosts").write_text(running.known_hosts)
        yield running


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    made = Remote(tmp_path / "remote")
    made.commit("feat: the first")
    return made


def by_ssh(folder: Path, address: str, known_secrets: Secrets | None = None, **more: str | None) -> GitRepository:
    files: dict[str, str | None] = {"key_file": "key", "known_hosts_file": "known_hosts", **more}
    settings = GitSource.model_validate({"remote": address, **files})
    return GitRepository(settings, folder / "mirrors" / "app.git", folder, known_secrets=known_secrets)


async def test_a_repository_is_fetched_with_a_key_that_leaves_no_copy(
    tmp_path: Path, server: SshServer, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    commit, secrets = remote.commit("feat: by SSH"), Secrets()
    source = by_ssh(tmp_path, server.url(remote.path), secrets)

    assert (await source.newest()).release.source_revision == commit
    await source.fetch(commit, tmp_path / "tree")

    assert (tmp_path / "tree" / "app.py").read_text() == "feat: by SSH"
    assert list((tmp_path / "temporary").iterdir()) == []
    line = server.key.read_text().splitlines()[1]
    assert secrets.text(f"x {line} y") == "x [hidden] y"


def test_a_key_that_is_in_use_is_in_no_file_also_when_this_process_is_killed(tmp_path: Path, server: SshServer) -> None:
    text = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from border.secrets import Secrets\n"
        "from orchestrator.config.source_schema import GitSource\n"
        "from orchestrator.sources.git_ssh import ssh_environment\n"
        "folder, remote = Path(sys.argv[1]), 'git@127.0.0.1:x'\n"
        "settings = GitSource(remote=remote, key_file='key', known_hosts_file='known_hosts')\n"
        "with ssh_environment(settings, folder, remote, Secrets()) as let_in:\n"
        "    path = let_in['GIT_SSH_COMMAND'].split()[-1]\n"
        "    print(path, os.stat(path).st_mode & 0o777, Path(path).read_text().split()[3], flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", text, str(tmp_path)]

    ended = subprocess.run(command, env=environment, cwd=temporary, capture_output=True, text=True)

    path, mode, key = ended.stdout.split()
    assert (ended.returncode, int(mode)) == (-signal.SIGKILL, 0o600)
    assert not Path(path).exists()
    assert not Path(key).exists()
    assert [*temporary.iterdir()] == []


async def test_the_key_of_a_file_with_other_ends_of_lines_is_a_key(
    tmp_path: Path, server: SshServer, remote: Remote
) -> None:
    for text in (server.key.read_text().rstrip(), server.key.read_text().replace("\n", "\r\n")):
        (tmp_path / "key").write_bytes(text.encode())
        assert (await by_ssh(tmp_path, server.url(remote.path)).newest()).release


@pytest.mark.parametrize("address", ["[{user}@127.0.0.1:{port}]:{path}", "git+ssh://{user}@127.0.0.1:{port}{path}"])
async def test_every_address_of_ssh_is_understood(
    tmp_path: Path, server: SshServer, remote: Remote, address: str
) -> None:
    user = server.url(remote.path).removeprefix("ssh://").partition("@")[0]
    address = address.format(user=user, port=server.port, path=remote.path)

    assert (await by_ssh(tmp_path, address).newest()).release


async def test_a_server_with_another_key_is_not_asked(tmp_path: Path, server: SshServer, remote: Remote) -> None:
    server.replace_host_key()

    with pytest.raises(StepFailed, match=r"127\.0\.0\.1 has another key \(SHA256:\S+\) than known_hosts") as failed:
        await by_ssh(tmp_path, server.url(remote.path)).newest()
    assert f"ssh-keyscan -p {server.port} 127.0.0.1" in failed.value.remedy


async def test_a_server_that_nobody_has_vouched_for_is_not_asked(
    tmp_path: Path, server: SshServer, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even if the machine's own known hosts have it: they are those of another person."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "known_hosts").write_text(server.known_hosts)
    (home / ".ssh" / "config").write_text("StrictHostKeyChecking no\n")
    monkeypatch.setenv("HOME", str(home))
    (tmp_path / "known_hosts").write_text(server.known_hosts.replace("127.0.0.1", "git.test"))

    with pytest.raises(StepFailed, match=r"known_hosts has no key of the server 127\.0\.0\.1"):
        await by_ssh(tmp_path, server.url(remote.path)).newest()


async def test_a_key_that_does_not_open_says_why_and_what_to_do(
    tmp_path: Path, server: SshServer, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an agent of somebody has one that does."""
    new_key(tmp_path / "stranger")
    new_key(tmp_path / "locked", passphrase="a passphrase")
    new_key(tmp_path / "pem", passphrase="a passphrase", kind="rsa")
    (tmp_path / "text").write_text("not a key\n")
    (tmp_path / "public").write_text((server.folder / "key.pub").read_text())
    for key_file, says in {
        "stranger": r"127\.0\.0\.1 does not accept the key stranger",
        "locked": "The key locked has a passphrase, which nobody can type here",
        "pem": "The key pem has a passphrase",
        "text": "text is no private key of SSH",
        "public": "public is no private key of SSH",
        "gone": "gone cannot be read: No such file",
        "../sshd/key": "leads out of the folder",
    }.items():
        with pytest.raises(StepFailed, match=says) as failed:
            await by_ssh(tmp_path, server.url(remote.path), key_file=key_file).newest()
        assert failed.value.remedy, key_file


async def test_what_is_not_there_is_told_from_what_is_not_reached(
    tmp_path: Path, server: SshServer, remote: Remote
) -> None:
    nobody = server.url(remote.path).replace(str(server.port), str(free_port()))
    for address, says in {
        server.url(tmp_path / "nowhere"): "has no such repository that the key key may read",
        nobody: r"127\.0\.0\.1 is not reached: .*Connection refused",
        "ssh://git@nowhere.invalid/shop.git": r"nowhere\.invalid is not reached: Could not resolve hostname",
    }.items():
        with pytest.raises(StepFailed, match=says):
            await by_ssh(tmp_path, address).newest()


async def test_a_missing_key_and_an_unknown_server_are_said_before_anything_is_asked(tmp_path: Path) -> None:
    address = "ssh://git@git.test:2222/shop.git"
    with pytest.raises(StepFailed, match=r"update\.git\.key_file is not set"):
        await by_ssh(tmp_path, address, key_file=None).newest()
    with pytest.raises(StepFailed, match=r"known_hosts_file is not set: .*'ssh-keyscan -p 2222 git\.test'"):
        await by_ssh(tmp_path, address, known_hosts_file=None).newest()
    with pytest.raises(StepFailed, match=r"key_file is not used: the remote is not reached by SSH"):
        await by_ssh(tmp_path, "https://git.test/shop.git").newest()


async def test_a_remote_of_the_checkout_may_be_one_by_ssh(tmp_path: Path, server: SshServer, remote: Remote) -> None:
    settings = GitSource(remote="origin", key_file="key", known_hosts_file="known_hosts")
    remote.git("remote", "add", "origin", server.url(remote.path))
    source = GitRepository(settings, tmp_path / "mirrors" / "app.git", remote.path, beside=tmp_path)

    assert (await source.newest()).release.source_revision == remote.git("rev-parse", "HEAD")
