"""Whether the files that an app names have in them what they are for: a key, a token, the entry of a host.

`validate`, `doctor` and `status` say it at the key, before a check or a deployment fails for it. Only what is certain
is said: whatever else is wrong, the source says when it is asked.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestrator.config.app_schema import App
from orchestrator.config.index_login import why_no_login
from orchestrator.config.ssh_files import why_no_private_key, why_no_signers, why_not_known
from orchestrator.domain.source_names import is_ssh, ssh_server

_MINISIGN, _BYTES_OF_MINISIGN = b"Ed", 42
"""The algorithm of a public key, its number and the key itself (minisign(1), the format of public keys)."""
_OF_MINISIGN = "Name the .pub file that 'minisign -G' wrote."
_OF_COSIGN = "Name the .pub file that 'cosign generate-key-pair' wrote."


def why_of_no_use(key: str, text: str, file: str, app: App, folder: Path) -> str:
    """Why what a file has in it is of no use for the key, and what to do; empty if it may be. `folder` is the
    configuration file's. `text` is secret, and nothing of it is said."""
    look = _LOOKS.get(key)
    return look(text, file, app, folder) if look else ""


def _known_hosts(text: str, file: str, app: App, _folder: Path) -> str:
    remote = app.update.git.remote
    # What only git knows, such as the name of a remote, is judged when it is asked.
    return why_not_known(text, file, *ssh_server(remote)) if is_ssh(remote) else ""


def _netrc(_text: str, file: str, app: App, folder: Path) -> str:
    pypi = app.update.pypi
    return why_no_login(file, pypi.index_url if pypi else None, folder)


def _token(text: str, file: str, _app: App, _folder: Path) -> str:
    token = text.strip()
    if token.isascii() and token.isprintable() and " " not in token:
        return ""
    return f"{file} has something else than a token. Write nothing but the token into it, as the forge shows it."


def _password(text: str, file: str, _app: App, _folder: Path) -> str:
    if text.strip().isprintable():
        return ""
    return f"{file} has something else than a password, such as a second line. Write nothing but the password into it."


def _minisign(text: str, file: str, _app: App, _folder: Path) -> str:
    key = next((line for line in reversed(text.split("\n")) if line.strip()), "")
    try:
        found = base64.b64decode(key.strip(), validate=True)
    except (ValueError, binascii.Error):
        found = b""
    is_key = len(found) == _BYTES_OF_MINISIGN and found.startswith(_MINISIGN)
    return "" if is_key else f"{file} is no public key of minisign. {_OF_MINISIGN}"


def _cosign(text: str, file: str, _app: App, _folder: Path) -> str:
    return "" if "-----BEGIN PUBLIC KEY-----" in text else f"{file} is no public key of cosign. {_OF_COSIGN}"


_LOOKS: Mapping[str, Callable[[str, str, App, Path], str]] = {
    "update.git.key_file": lambda text, file, _app, _folder: why_no_private_key(text, file),
    "update.git.known_hosts_file": _known_hosts,
    "update.git.signed_by": lambda text, file, _app, _folder: why_no_signers(text, file),
    "update.git.token_file": _token,
    "update.pypi.credentials_file": _netrc,
    "update.registry.password_file": _password,
    "update.registry.cosign_key": _cosign,
    "update.url.public_key": _minisign,
    "report.token_file": _token,
}
