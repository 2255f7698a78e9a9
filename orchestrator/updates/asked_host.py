"""The host that a check of an app asks, by its configuration alone."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from orchestrator.config.source_schema import GitSource, PypiSource, RegistrySource, UrlSource
from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.domain.image_name import image_name
from orchestrator.sources.machine_index import index_of

_SCP = re.compile(r"(?:[^@/\[\]:]+@)?(\[[^\]/]+\]|[^/:@\[\]]+):(?!//)")
"""`user@host:path` (git-fetch(1), "GIT URLS")."""
_NAME = re.compile(r"[\w.][\w.-]*")


def asked_host(policy: UpdatePolicy) -> str:
    """With its port, if the address has one; the name of a Git remote, whose address only Git knows; empty for a path
    of this machine."""
    match policy.followed:
        case GitSource(remote="."):
            return ""
        case GitSource(remote=remote):
            if scp := _SCP.match(remote):
                return scp[1].lower()
            return remote if _NAME.fullmatch(remote) else _authority(remote)
        case PypiSource() as pypi:
            return _authority(index_of(pypi))
        case UrlSource(manifest_url=manifest_url):
            return _authority(manifest_url)
        case RegistrySource(image=image):
            return image_name(image).host.lower()
    return ""


def _authority(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:  # a bracket that is not closed: the check says what is wrong with the address
        return ""
