"""Fetches the files that a commit keeps in Git LFS into the mirror of its repository, from the server that it has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from border.secrets import Secrets
from orchestrator.config.source_schema import GitSource
from orchestrator.domain.source_names import is_ssh, ssh_server
from orchestrator.sources import lfs_download
from orchestrator.sources.git_credentials import authorization
from orchestrator.sources.git_lfs import Pointer, configured_server
from orchestrator.sources.git_mirror import GitMirror
from orchestrator.sources.git_submodules import NamedServer, of_server
from orchestrator.sources.lfs_by_ssh import lfs_server
from orchestrator.sources.lfs_download import LfsServer
from orchestrator.sources.web import Web


async def fetch(
    mirror: GitMirror, settings: GitSource, commit: str, pointers: Sequence[Pointer], beside: Path, secrets: Secrets
) -> None:
    """Fetch the files from the server that the commit's .lfsconfig names, or else from the repository's own. The
    mirror's lock must be held. `beside`: the folder of the configuration file. Raises StepFailed."""
    repository, configured = await mirror.address(), await configured_server(mirror.git, commit)
    named = NamedServer(settings.model_copy(update={"remote": repository}), mirror.judged)
    if configured:
        named = await of_server(settings, repository, configured, mirror.judged)
    settings, remote = named.settings, named.settings.remote
    if remote.startswith(("https://", "http://")):
        let_in = authorization(settings, beside, remote, secrets)
        url = remote if configured else lfs_download.server_of(remote)
        led_from = _named_by(repository)
        server = LfsServer(url, let_in, led_from, mirror.judged if led_from else named.judged)
        await lfs_download.download(Web(), server, mirror.folder, pointers)
        return
    if is_ssh(remote):
        server = await lfs_server(settings, beside, remote, secrets, named.judged)
        await lfs_download.download(Web(), server, mirror.folder, pointers)
        return
    # The client copies from a repository of this host. It knows a path as a URL only.
    path = f"file://{remote}" if remote.startswith("/") else remote
    await mirror.git("lfs", "fetch", path, commit)


def _named_by(repository: str) -> str:
    """The server of the repository, as one of the web; empty for a path, which may name anything."""
    if is_ssh(repository):
        return f"https://{ssh_server(repository)[0]}/"
    return repository if "://" in repository else ""
