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


def is_ssh(remote: str) -> bool:
    """Whether the address of a repository is reached by SSH."""
    return bool(_SSH.match(remote))


def ssh_server(remote: str) -> tuple[str, str]:
    """The host and the port of an address that is reached by SSH; an empty port is the usual one."""
    rest = re.sub(r"^[A-Za-z+]+://", "", remote)
    host = (rest.partition("/")[0] if rest != remote else _before_path(rest)).rpartition("@")[2]
    if found := re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d+)", host):
        return found[1].strip("[]"), found[2]
    return host.strip("[]"), ""


def ssh_address(remote: str) -> tuple[str, str, str]:
    """Whom, at which port and for which path ssh is asked, of an address that is reached by it: `user@host`, an empty
    port for the usual one, and the path as git asks for it."""
    host, port = ssh_server(remote)
    rest = re.sub(r"^[A-Za-z+]+://", "", remote)
    if rest != remote:
        login, _, path = rest.partition("/")
        path = path if path.startswith("~") else f"/{path}"
    else:
        in_brackets = rest.startswith("[") or ("@[" in rest and ":" not in rest.partition("@[")[0])
        login, _, path = rest.partition("]:" if in_brackets else ":")
    user = login.removeprefix("[").rpartition("@")[0]
    return f"{user}@{host}" if user else host, port, path


def _before_path(remote: str) -> str:
    """Of `host:path`, or `[user@host:port]:path`."""
    if remote.startswith("["):
        return remote[1:].partition("]")[0]
    before, _, after = remote.partition("@[")
    return f"[{after.partition(']')[0]}]" if after and ":" not in before else remote.partition(":")[0]


def missing_for_ssh(remote: str, key_file: str | None, known_hosts_file: str | None) -> str:
    """Why the address of a repository cannot be reached with these files; empty if nothing is missing."""
    if is_ssh(remote):
        host, port = ssh_server(remote)
        scan = f"ssh-keyscan {f'-p {port} ' if port else ''}{host}"
        if not key_file:
            return (
                "it is reached by SSH, and update.git.key_file is not set: name the file of a private key, without a "
                "passphrase, that may read the repository"
            )
        if not known_hosts_file:
            return (
                "it is reached by SSH, and update.git.known_hosts_file is not set: name a file with the server's key, "
                f"as '{scan}' prints it, after comparing its fingerprint with the published one"
            )
    return ""


def is_ref(name: str) -> bool:
    """Whether a branch or tag can have this name: the rules of git-check-ref-format(1), and no `-` at the beginning."""
    return (
        bool(name) and name[0] not in "-/." and name[-1] not in "/." and name != "@" and not _NOT_IN_A_REF.search(name)
    )


def is_commit(name: str) -> bool:
    """Whether this is the whole name of a commit."""
    return bool(_COMMIT.fullmatch(name))
