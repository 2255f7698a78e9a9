"""Names that a source is told: which ones are safe to give to Git. A name is never an option, a program or a path."""

from __future__ import annotations

import re

SCHEMES = ("file", "git", "http", "https", "ssh", "git+ssh", "ssh+git")
"""The transports of Git that run no program that an address names. Others, such as `ext::`, do."""

_SSH = re.compile(r"(?:git\+)?ssh(?:\+git)?://|(?:[^/:\[]+|\[[^/\]]*\]):(?!//)", re.IGNORECASE)
"""`host:path` is SSH, too: a colon before the first slash (git-fetch(1), "GIT URLS")."""
_SCHEME = re.compile(r"([A-Za-z0-9+.-]*)(://|::)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_A_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def why_no_remote(remote: str) -> str:
    """Why Git must not be given this address of a repository; empty when it may be."""
    if not remote.strip():
        return "it is empty"
    if remote.startswith("-"):
        return "it begins with '-', as an option does"
    if remote != remote.strip():
        return "it begins or ends with a space"
    if _CONTROL.search(remote):
        return "it has a control character"
    scheme = _SCHEME.match(remote)
    if scheme and (scheme[2] == "::" or scheme[1].lower() not in SCHEMES):
        return f"'{scheme[0]}' is not one of the transports {', '.join(SCHEMES)}"
    host = re.match(r"(?:[A-Za-z]+://)?(?:[^/@]*@)?(-[^/:]*)", remote)
    return f"the host '{host[1]}' begins with '-', as an option does" if host else ""


def why_not_fetched(remote: str) -> str:
    """Why the address of a repository cannot be fetched by this version; empty when it can."""
    if _SSH.match(remote):
        return "repositories cannot be fetched by SSH yet: the image has no SSH client. Use an https:// URL"
    return ""


def is_ref(name: str) -> bool:
    """Whether a branch or tag can have this name: the rules of git-check-ref-format(1), and no `-` at the beginning."""
    return (
        bool(name) and name[0] not in "-/." and name[-1] not in "/." and name != "@" and not _NOT_IN_A_REF.search(name)
    )


def is_commit(name: str) -> bool:
    """Whether this is the whole name of a commit."""
    return bool(_COMMIT.fullmatch(name))
