"""Signatures of commits and tags, by keys of SSH (git-verify-commit(1), ssh-keygen(1) ALLOWED SIGNERS)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from orchestrator.config.secret_file import SecretUnreadable, read_secret
from orchestrator.errors import StepFailed
from orchestrator.files.beneath import within
from orchestrator.sources.git_process import ended_command

Git = Callable[..., Awaitable[str]]

MOST_TAGS = 50
"""So many tags of one commit are looked at."""
_KEY = re.compile(r"SHA256:[A-Za-z0-9+/=]+")
_OTHER_KINDS = re.compile(r"-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE)-----")


async def refuse_unsigned(git: Git, mirror: Path, commit: str, folder: Path, signers_file: str) -> None:
    """Raises StepFailed unless an allowed signer has signed the commit, or a tag of it under the tag's own name.

    `git` runs a git command in the mirror. `folder` is the configuration file's.
    """
    try:
        read_secret(folder, signers_file, is_secret=False)
    except SecretUnreadable as error:
        raise StepFailed(error.cause, error.remedy) from error
    signers = within(folder, signers_file)
    said = await _why_not_verified(mirror, signers, "verify-commit", commit)
    if not said:
        return
    for tag in await _annotated_tags(git, commit):
        why = await _why_not_verified(mirror, signers, "verify-tag", f"refs/tags/{tag}")
        if not why:
            return
        said = why if _KEY.search(why) else said
    raise StepFailed(
        f"Commit {commit[:12]} is not deployed: {await _why(git, commit, said, signers_file)}.",
        f"Sign it with a key of {signers_file} (git config gpg.format ssh; git commit -S, or git tag -s), or add the "
        f"signer's line there, as ssh-keygen(1) describes it under ALLOWED SIGNERS.",
    )


async def _why_not_verified(mirror: Path, signers: Path, command: str, name: str) -> str:
    """What git says of a signature that is not of an allowed signer, or of none; empty if it is well."""
    settings = (
        "-c",
        f"gpg.ssh.allowedSignersFile={signers}",
        "-c",
        "gpg.program=false",
        "-c",
        "gpg.x509.program=false",
    )
    ended = await ended_command(f"git {command}", "git", "--git-dir", str(mirror), *settings, command, name)
    return "" if ended.exit_code == 0 else ended.err.decode(errors="replace").strip() or "it has no signature"


async def _annotated_tags(git: Git, commit: str) -> list[str]:
    """Those of the commit whose signature would be for the name that they have: whoever can push could give a signed
    tag the name of another version."""
    form = "--format=%(objecttype) %(tag) %(refname:strip=2)"
    listed = (
        await git("for-each-ref", f"--points-at={commit}", form, f"--count={MOST_TAGS}", "refs/tags")
    ).splitlines()
    found = [line.split(" ") for line in listed]
    return [parts[2] for parts in found if len(parts) == 3 and parts[0] == "tag" and parts[1] == parts[2]]


async def _why(git: Git, commit: str, said: str, signers_file: str) -> str:
    if key := _KEY.search(said):
        return f"it is signed by the key {key[0]}, which {signers_file} does not allow now"
    if _OTHER_KINDS.search(await git("cat-file", "commit", commit)):
        return "its signature is of OpenPGP or X.509, and update.git.signed_by is about keys of SSH"
    return "neither the commit nor a tag of it is signed"
