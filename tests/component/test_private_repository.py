"""A repository that not everybody may read, over HTTP by Git's own http-backend."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from border.secrets import Secrets
from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.sources.git import GitRepository
from tests.support.git_server import GitServer, redirecting

TOKEN = "a-token-of-the-forge"


@pytest.fixture
def commit(tmp_path: Path) -> str:
    """The commit of a repository `served/shop.git`."""
    folder = tmp_path / "served" / "shop.git"
    folder.mkdir(parents=True)

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
        command = ["git", "-C", str(folder), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    (folder / "Dockerfile").write_text("FROM scratch\n")
    git("add", "--all")
    git("commit", "--quiet", "-m", "feat: the first")
    return git("rev-parse", "HEAD")


def shop(folder: Path, remote: str, secrets: Secrets, token_file: str | None = "token") -> GitRepository:
    settings = GitSource(remote=remote, token_file=token_file)
    return GitRepository(settings, folder / "mirrors" / "app.git", folder, known_secrets=secrets)


async def test_a_private_repository_is_fetched_with_a_token_and_without_it_not(tmp_path: Path, commit: str) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "wrong").write_text("another-token-of-the-forge\n")
    secrets = Secrets()
    with GitServer(tmp_path / "served", TOKEN) as server:
        remote = f"{server.url}/shop.git"
        source = shop(tmp_path, remote, secrets)

        assert (await source.newest()).release.source_revision == commit
        await source.fetch(commit, tmp_path / "tree")
        assert (tmp_path / "tree" / "Dockerfile").exists()

        wants = "could not be read: its server"
        for token_file, says in ((None, "wants to know who asks"), ("wrong", "does not accept the token in wrong")):
            with pytest.raises(StepFailed, match=f"{wants} {says}"):
                await shop(tmp_path, remote, secrets, token_file).newest()
    assert secrets.text(f"x {TOKEN} y") == "x [hidden] y"
    assert TOKEN not in (tmp_path / "mirrors" / "app.git" / "config").read_text()


async def test_a_token_is_sent_to_the_server_of_the_remote_alone_and_never_in_the_open(
    tmp_path: Path, commit: str
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    for remote in ("http://git.test/shop.git", "git://git.test/shop.git", str(tmp_path / "served" / "shop.git")):
        with pytest.raises(StepFailed, match=r"The token of update\.git\.token_file is not sent"):
            await shop(tmp_path, remote, Secrets()).newest()
    with pytest.raises(StepFailed, match="none cannot be read: No such file"):
        await shop(tmp_path, "https://git.test/shop.git", Secrets(), "none").newest()


async def test_a_token_is_not_sent_to_a_server_that_the_first_one_leads_to(tmp_path: Path, commit: str) -> None:
    (tmp_path / "token").write_text(TOKEN)
    with GitServer(tmp_path / "served", "") as open_to_all, redirecting(open_to_all.url) as remote:
        with pytest.raises(StepFailed, match=r"has moved: its server leads to another address \(status 302\)"):
            await shop(tmp_path, f"{remote}/shop.git", Secrets()).newest()
        assert open_to_all.asked == []

        assert (await shop(tmp_path, f"{remote}/shop.git", Secrets(), None).newest()).release.source_revision == commit


def _certificate(folder: Path) -> Path:
    """One of 127.0.0.1 that nobody has signed, with its key."""
    file = folder / "certificate.pem"
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *subject]
    subprocess.run([*command, "-keyout", str(file), "-out", str(folder / "c")], check=True, capture_output=True)
    file.write_text(file.read_text() + (folder / "c").read_text())
    return file


async def test_the_certificate_bundle_of_the_machine_is_the_one_that_git_goes_by(
    tmp_path: Path, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = _certificate(tmp_path)
    with GitServer(tmp_path / "served", "", certificate) as server:
        remote = f"{server.url}/shop.git"
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        with pytest.raises(StepFailed, match="certificate"):
            await shop(tmp_path, remote, Secrets(), None).newest()

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert (await shop(tmp_path, remote, Secrets(), None).newest()).release.source_revision == commit
