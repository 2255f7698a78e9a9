"""As whom a package index is asked: the machine of a netrc file that an app's source names.

It is the file that pip, uv and curl read, too (netrc(5)): `machine index.example.com login ci password …`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from netrc import NetrcParseError, netrc
from pathlib import Path
from urllib.parse import unquote, urlsplit

from orchestrator.config.secret_file import SecretUnreadable, read_secret
from orchestrator.domain.encryption import may_be_sent_to
from orchestrator.files.beneath import LeadsOutside, within

_WORD = re.compile(r"[^\s\"'\\#\x00-\x1f\x7f]+")
"""What every reader of a netrc file takes for one word as it stands."""


@dataclass(frozen=True)
class IndexLogin:
    """`host`: without the port, as a netrc file has it."""

    host: str
    username: str
    password: str = field(repr=False)

    @property
    def as_netrc(self) -> str:
        """A netrc file with this login alone."""
        return f"machine {self.host} login {self.username} password {self.password}\n"


def login_of_index(file: str | None, url: str, folder: Path) -> IndexLogin | None:
    """As whom the index at `url` is asked; None: as anybody. `folder` is the configuration file's; a machine's own
    address may have the login in itself. Raises SecretUnreadable."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if file is None:
        if parts.username is None:
            return None
        found = (unquote(parts.username), unquote(parts.password or ""))
    else:
        entry = _parsed(folder, file).authenticators(host)
        if entry is None:
            raise SecretUnreadable(
                f"The file {file} has no entry for the package index's host, '{host}'.",
                f"Add one: machine {host} login USER password PASSWORD",
            )
        found = (entry[0], entry[2])
    if not may_be_sent_to(url):
        raise SecretUnreadable(
            f"The password for the package index on {host} is not sent: its address is no https:// URL.",
            "Set update.pypi.index_url to the https:// URL of the index, or remove the credentials.",
        )
    if not all(map(_WORD.fullmatch, found)):
        raise SecretUnreadable(
            f"The user or the password for the package index on {host} is empty, or has a character that netrc files "
            "do not take: a space, a quotation mark, a backslash or a number sign.",
            "Let the index make another token or password.",
        )
    return IndexLogin(host, *found)


def why_no_login(file: str, url: str | None, folder: Path) -> str:
    """Why the file has no login for the index at `url`, and what to do; empty if it has one. None: for one that only
    the machine knows. That a password is not sent to an address is said of the address (sent_encrypted.py)."""
    try:
        if url and may_be_sent_to(url):
            login_of_index(file, url, folder)
        else:
            _parsed(folder, file)
    except SecretUnreadable as error:
        return str(error)
    return ""


def passwords_of(folder: Path, file: str) -> set[str]:
    """The passwords of a netrc file; empty for one that cannot be read: who needs it reports it."""
    try:
        return {entry[2] for entry in _parsed(folder, file).hosts.values() if entry[2]}
    except SecretUnreadable:
        return set()


def _parsed(folder: Path, file: str) -> netrc:
    read_secret(folder, file)
    try:
        return netrc(str(within(folder, file)))
    except (OSError, LeadsOutside, UnicodeError, NetrcParseError):
        # The parser's message quotes what it did not understand, which may be the password.
        raise SecretUnreadable(
            f"The file {file} is no netrc file.",
            "Write it as netrc(5) says: machine HOST login USER password PASSWORD",
        ) from None
