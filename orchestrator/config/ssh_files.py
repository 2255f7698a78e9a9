"""What the files of SSH have in them: private keys, keys of servers, and allowed signers. No server is asked."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from fnmatch import translate

_OPENSSH_KEY, _NO_CIPHER = b"openssh-key-v1\0", b"\0\0\0\4none"
_KIND = re.compile(
    r"(?:ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp\d+|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)"
)
_HASHED = re.compile(r"\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)")
_USUAL_PORT = ("", "22")
_MAKE_KEY = (
    "Make one without a passphrase for this host alone (ssh-keygen -t ed25519 -N '' -f FILE), and allow it to read."
)


def has_passphrase(key: str) -> bool:
    """Whether a private key is encrypted: by the cipher of OpenSSH's format (PROTOCOL.key), or what PEM says of it.

    ssh leaves such a key out without a word where it may not ask.
    """
    if "OPENSSH PRIVATE KEY" not in key:
        return "ENCRYPTED" in key
    lines = [line for line in key.splitlines() if not line.startswith("-----")]
    try:
        content = base64.b64decode("".join(lines))
    except binascii.Error:
        return False  # ssh says what it is
    return content.startswith(_OPENSSH_KEY) and not content.startswith(_OPENSSH_KEY + _NO_CIPHER)


def why_no_private_key(text: str, file: str) -> str:
    """Why a file cannot be the key by which a repository is read unattended, and what to do; empty if it can."""
    if "PRIVATE KEY-----" not in text:
        if _is_key(text.split()):
            return f"{file} is a public key. Name the private one, which ssh-keygen wrote beside it without .pub."
        return f"{file} is no private key of SSH. {_MAKE_KEY}"
    return f"{file} has a passphrase, which nobody can type here. {_MAKE_KEY}" if has_passphrase(text) else ""


def why_not_known(text: str, file: str, host: str, port: str) -> str:
    """Why a file of known hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) lets nobody reach this server, and what to do;
    empty if it has a key of it."""
    name = host.lower() if port in _USUAL_PORT else f"[{host.lower()}]:{port}"
    # Where ssh knows no key of the port, one of the host without a port is accepted (check_host_key in sshconnect.c).
    if any(_is_of(hosts, one) for hosts in _known(text) for one in {name, host.lower()}):
        return ""
    scan = f"ssh-keyscan {'' if port in _USUAL_PORT else f'-p {port} '}{host}"
    return (
        f"{file} has no key of the server {name}. Append the output of '{scan}' to it, after comparing its fingerprint "
        "(ssh-keygen -lf) with the one that the server's owner publishes."
    )


def why_no_signers(text: str, file: str) -> str:
    """Why a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS) allows nobody, and what to do; empty if it allows
    somebody."""
    lines = [line.split() for line in _lines(text)]
    if any(_is_key(parts[at:]) for parts in lines for at in range(1, len(parts) - 1)):
        return ""
    if any(_is_key(parts) for parts in lines):
        return f"{file} has a key without the name of who signs. Write that before it: name@example.com ssh-ed25519 KEY"
    return f"{file} has no key of SSH. Write a line for each signer: name@example.com ssh-ed25519 KEY"


def _lines(text: str) -> Iterator[str]:
    stripped = (line.strip() for line in text.splitlines())
    return (line for line in stripped if line and not line.startswith("#"))


def _is_key(parts: list[str]) -> bool:
    """Whether this is a kind of key, and a key of it, as a public one is written."""
    return len(parts) >= 2 and bool(_KIND.fullmatch(parts[0])) and parts[1].startswith("AAAA")


def _known(text: str) -> Iterator[str]:
    """The hosts of each line that has a key."""
    for line in _lines(text):
        parts = line.split()
        if parts[0] == "@revoked":
            continue
        parts = parts[1:] if parts[0] == "@cert-authority" else parts
        if _is_key(parts[1:]):
            yield parts[0]


def _is_of(hosts: str, name: str) -> bool:
    """Whether the hosts of a line are meant to be this one: a list of patterns, or one that is hashed."""
    if found := _HASHED.fullmatch(hosts):
        try:
            salt, hashed = map(base64.b64decode, found.groups())
        except binascii.Error:
            return False
        return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), hashed)
    patterns = hosts.lower().split(",")
    excluded = any(_matches(one[1:], name) for one in patterns if one.startswith("!"))
    return not excluded and any(_matches(one, name) for one in patterns)


def _matches(pattern: str, name: str) -> bool:
    """`*` and `?`, and nothing else (ssh_config(5), PATTERNS)."""
    return bool(re.fullmatch(translate(re.sub(r"\*+", "*", pattern).replace("[", "[[]")), name))
