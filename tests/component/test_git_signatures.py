"""Signed commits and tags, by real keys of SSH and real git."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.sources.git import GitRepository
from tests.support.git_repository import Remote
from tests.support.ssh_server import new_key


@pytest.fixture
def app(tmp_path: Path) -> Remote:
    made = Remote(tmp_path / "remote")
    made.git("config", "gpg.format", "ssh")
    for name in ("anna", "stranger"):
        new_key(tmp_path / name)
    key = (tmp_path / "anna.pub").read_text()
    (tmp_path / "signers").write_text(f'anna@example.com namespaces="git" {key}')
    made.commit("feat: the first")
    return made


def signed(app: Remote, by: str, message: str) -> str:
    app.git("-c", f"user.signingkey={app.path.parent / by}", "commit", "--quiet", "-S", "--allow-empty", "-m", message)
    return app.git("rev-parse", "HEAD")


def tag(app: Remote, by: str, name: str) -> None:
    app.git("-c", f"user.signingkey={app.path.parent / by}", "tag", "-s", "-m", name, name)


def shop(app: Remote, **more: object) -> GitRepository:
    settings = GitSource.model_validate({"remote": str(app.path), "signed_by": "signers", **more})
    return GitRepository(settings, app.path.parent / "mirrors" / "app.git", app.path, beside=app.path.parent)


async def test_a_commit_of_an_allowed_signer_is_offered_and_built(app: Remote, tmp_path: Path) -> None:
    commit = signed(app, "anna", "feat: signed")

    assert (await shop(app).newest()).release.source_revision == commit
    await shop(app).fetch(commit, tmp_path / "tree")
    assert (tmp_path / "tree" / "app.py").exists()


async def test_what_nobody_allowed_has_signed_is_neither_offered_nor_built(app: Remote, tmp_path: Path) -> None:
    unsigned = app.git("rev-parse", "HEAD")
    commits = {
        unsigned: "neither the commit nor a tag of it is signed",
        signed(app, "stranger", "feat: by a stranger"): r"signed by the key SHA256:\S+, which signers does not allow",
    }
    content = app.git("cat-file", "commit", unsigned).replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----\n\n", 1
    )
    openpgp = app.written("commit", f"{content}\n".encode())
    commits[openpgp] = "its signature is of OpenPGP"
    app.git("branch", "openpgp", openpgp)
    await GitRepository(GitSource(remote=str(app.path)), tmp_path / "mirrors" / "app.git", app.path).newest()
    for commit, says in commits.items():
        with pytest.raises(StepFailed, match=says) as failed:
            await shop(app).newest(commit)
        assert "git config gpg.format ssh" in failed.value.remedy
        with pytest.raises(StepFailed, match=says):
            await shop(app).fetch(commit, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


async def test_a_signature_that_was_made_for_another_commit_is_none(app: Remote) -> None:
    good = app.git("cat-file", "commit", signed(app, "anna", "feat: signed"))
    forged = app.written("commit", good.replace("feat: signed", "feat: forged").encode() + b"\n")
    app.git("update-ref", "refs/heads/main", forged)

    with pytest.raises(StepFailed, match="is not deployed"):
        await shop(app).newest()


async def test_a_signed_tag_vouches_for_its_commit_under_its_own_name_alone(app: Remote, tmp_path: Path) -> None:
    tag(app, "anna", "v1.0.0")
    commit = app.git("rev-parse", "HEAD")
    found = (await shop(app, tags="v*").newest()).release
    assert (found.version, found.source_revision) == ("v1.0.0", commit)
    await shop(app, tags="v*").fetch(commit, tmp_path / "tree")

    app.commit("feat: the second")
    app.git("tag", "v1.1.0")
    with pytest.raises(StepFailed, match="neither the commit nor a tag of it is signed"):
        await shop(app, tags="v*").newest()
    app.git("tag", "--delete", "v1.1.0")
    tag(app, "stranger", "v1.1.0")
    with pytest.raises(StepFailed, match="which signers does not allow"):
        await shop(app, tags="v*").newest()

    app.git("update-ref", "refs/tags/v9.0.0", app.git("rev-parse", "refs/tags/v1.0.0"))
    app.git("update-ref", "-d", "refs/tags/v1.0.0")
    with pytest.raises(StepFailed, match="neither the commit nor a tag of it is signed"):
        await shop(app, tags="v9*").newest()


async def test_a_signer_who_is_taken_off_the_list_or_was_allowed_until_then_is_refused(app: Remote) -> None:
    signed(app, "anna", "feat: signed")
    signers = app.path.parent / "signers"
    key = (app.path.parent / "anna.pub").read_text()
    for text in (f'anna namespaces="git",valid-before="20200101" {key}', f'anna namespaces="file" {key}', "# none\n"):
        signers.write_text(text)
        with pytest.raises(StepFailed, match="is not deployed"):
            await shop(app).newest()
    signers.unlink()
    with pytest.raises(StepFailed, match="signers cannot be read: No such file"):
        await shop(app).newest()
