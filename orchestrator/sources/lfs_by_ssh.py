"""The server of Git LFS of a repository that is reached by SSH: the server itself names it (git-lfs,
docs/api/authentication.md, `git-lfs-authenticate`).

The files are then fetched as from any other server (lfs_download.py). Not by the client git-lfs, which writes whatever
comes: 2 GB were written for a pointer of 6 kB.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from border.secrets import Secrets
from orchestrator.config.source_schema import GitSource
from orchestrator.domain.encryption import may_be_sent_to
from orchestrator.domain.source_names import ssh_address
from orchestrator.errors import StepFailed
from orchestrator.sources.git_error import last_lines
from orchestrator.sources.git_process import ended_command
from orchestrator.sources.git_ssh import SSH_COMMAND, ssh_environment, why_ssh_failed
from orchestrator.sources.lfs_download import LfsServer, server_of
from orchestrator.sources.private_address import NOT_JUDGED, Judgement
from orchestrator.sources.redirects import shown

MOST_OF_ANSWER = 64 * 1024
_HEADER = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,8000}")
_NONE = "Push the files to a server of LFS that names itself by git-lfs-authenticate, as forges do, or commit them."


async def lfs_server(
    settings: GitSource, beside: Path, remote: str, secrets: Secrets, judged: Judgement = NOT_JUDGED
) -> LfsServer:
    """Ask the remote by SSH, with the key and for the server that are configured. `beside`: the folder of the
    configuration file. Raises StepFailed."""
    login, port, path = ssh_address(remote)
    with ssh_environment(settings, beside, remote, secrets) as environment:
        command = (*shlex.split(environment[SSH_COMMAND]), *(("-p", port) if port else ()), "--", login)
        ended = await ended_command(
            "git-lfs-authenticate", *command, f"git-lfs-authenticate {shlex.quote(path)} download"
        )
    if ended.exit_code != 0:
        said = secrets.text(last_lines(ended.err))
        cause, remedy = why_ssh_failed(said, remote, settings) or ("it names no server of Git LFS", _NONE)
        raise StepFailed(
            f"The files in Git LFS were not fetched from {_host(login)}: {cause}.", remedy, log=tuple(said.splitlines())
        )
    url, authorization = _named(ended.out, _host(login), path)
    secrets.know({authorization, authorization.rpartition(" ")[2]} if authorization else ())
    if authorization and not may_be_sent_to(url):
        raise StepFailed(
            f"The server {_host(login)} names a server of Git LFS without encryption, where its token is not sent: "
            f"{shown(url)}.",
            "Set the address of the forge to an https:// one in its own configuration.",
        )
    # Only the address is judged by it: without a token nothing is secret, and each file is compared with its digest.
    return LfsServer(url, authorization, f"{urlsplit(url).scheme}://{_in_url(_host(login))}/", judged)


def _host(login: str) -> str:
    return login.rpartition("@")[2]


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _named(answer: bytes, host: str, path: str) -> tuple[str, str]:
    """The address of the server, and the header by which it lets in. Raises StepFailed for an answer that is none."""
    try:
        if len(answer) > MOST_OF_ANSWER:
            raise ValueError
        found = json.loads(answer)
        url = found.get("href") or server_of(f"https://{_in_url(host)}/{path.lstrip('/')}")
        header = {name.lower(): value for name, value in (found.get("header") or {}).items()}
        authorization = header.get("authorization", "")
        if urlsplit(url).scheme not in ("https", "http") or (authorization and not _HEADER.fullmatch(authorization)):
            raise ValueError
        return url, authorization
    except (ValueError, RecursionError, TypeError, AttributeError) as error:
        raise StepFailed(f"The server {host} gives no answer of Git LFS to git-lfs-authenticate.", _NONE) from error
