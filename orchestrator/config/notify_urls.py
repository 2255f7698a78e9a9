"""A file with the URLs of services that are told something (`notify.url_file`). The URLs are secrets.

Whatever is said of a line names its file, its number and the kind of the service, and nothing else of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from border.plain import plain
from border.secrets import LEAST, is_secret_name, may_be_secret
from orchestrator.config.secret_file import SecretUnreadable, read_secret_text

MOST_URLS, MOST_CHARACTERS = 20, 2000
OF_THIS_MACHINE = frozenset(
    {"blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows", "file", "memory"}
)
"""Services that tell nobody outside of the container of the orchestrator: its desktop, its log, its files."""

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,29})://[^\s]*")
_WORD = re.compile(r"[a-z_-]{1,15}")
"""A part of a path such as `webhooks`: it is no secret, and would be taken out of every other sentence."""


@dataclass(frozen=True)
class ServiceUrl:
    """One URL. `place` names it without showing it."""

    url: str
    scheme: str
    place: str

    @property
    def label(self) -> str:
        """For people: the kind of the service, and where its URL is."""
        return f"{self.scheme} ({self.place})"


@dataclass(frozen=True)
class ServiceUrls:
    """What a file has. `problems`: a sentence for each line that cannot be used, or for the whole file."""

    urls: tuple[ServiceUrl, ...] = ()
    problems: tuple[str, ...] = ()


def service_urls(folder: Path, file: str) -> ServiceUrls:
    """The URLs of a file, each once. `folder` is the configuration file's."""
    try:
        text = read_secret_text(folder, file)
    except SecretUnreadable as error:
        return ServiceUrls(problems=(f"{error.cause} Write the URLs of the services into it, one on each line.",))
    found: dict[str, ServiceUrl] = {}
    problems = list[str]()
    for number, line in _lines(text):
        if why := _why_not(line):
            problems.append(f"{file}, line {number}: {why}.")
        elif len(found) < MOST_URLS:
            found.setdefault(line, ServiceUrl(line, line.partition("://")[0].lower(), f"{file}, line {number}"))
        else:
            problems.append(f"{file}, line {number}: it has more than {MOST_URLS} URLs; the others are not used.")
            break
    if not found and not problems:
        problems.append(f"{file} has no URL, only comments.")
    return ServiceUrls(tuple(found.values()), tuple(problems))


def _lines(text: str) -> list[tuple[int, str]]:
    """With their numbers, without comments and empty ones."""
    stripped = ((number, line.strip()) for number, line in enumerate(text.split("\n"), 1))
    return [(number, line) for number, line in stripped if line and not line.startswith("#")]


def _why_not(line: str) -> str:
    """Why a line cannot be used, without what it has; empty if it can, as far as its form says that."""
    if len(line) > MOST_CHARACTERS:
        return f"the URL has more than {MOST_CHARACTERS} characters"
    if plain(line) != line:
        return "the URL has control characters"
    if (match := _URL.fullmatch(line)) is None:
        return "it is no URL of a service, such as json://host/path; a blank in it is written as %20"
    if (scheme := match["scheme"].lower()) in OF_THIS_MACHINE:
        return f"{scheme}:// is not a service outside of this machine, and is not used"
    return ""


def secrets_of_urls(text: str) -> set[str]:
    """What must not be shown of the URLs in a file's text: each as a whole, and the parts that may be a token."""
    return {secret for _number, line in _lines(text) for secret in (line, *_parts(line))}


def _parts(url: str) -> set[str]:
    """User, password, values of the query, and what stands for a token in the path, or in the place of the host."""
    try:
        address = urlsplit(url)
    except ValueError:
        return set()
    before, _, host = address.netloc.rpartition("@")
    user, colon, password = before.partition(":")
    named = [("password", password if colon else user)]
    named += [("", host)] if "." not in host and host.partition(":")[0] != "localhost" else []
    named += [("", one) for one in address.path.split("/")]
    named += parse_qsl(address.query)
    found = {form for name, value in named if _is_secret(name, value) for form in (value, unquote(value))}
    return {one for one in found if len(one) >= LEAST}


def _is_secret(name: str, value: str) -> bool:
    return bool(may_be_secret(name, value, in_secret_file=True)) and (
        is_secret_name(name) or not _WORD.fullmatch(value)
    )
