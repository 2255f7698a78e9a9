"""The orchestrator's address and the token to sign in with, from environment variables."""

from __future__ import annotations

import ipaddress
import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

from border.urls import without_credentials
from panel.client.errors import Invalid, NotSignedIn

DEFAULT_URL = "http://127.0.0.1:8090"
TOKEN_FILE = Path(".changeover/token")
PORT_FILE = Path(".changeover/api-port")
"""The port of the API on this machine, which `make up` writes into the checkout. Only a port: a file in a folder that
came from elsewhere must not lead the token to another host."""
MOST_OF_PORT = len("65535")
MOST_OF_TOKEN = 4096
WRITE_PORT_AGAIN = "Run 'make up', which writes it again, or set CHANGEOVER_URL to the orchestrator's address."
AS_OWNER = "Run this as the owner of the file, or set CHANGEOVER_URL to the orchestrator's address."


def configured_url() -> str:
    """The address in CHANGEOVER_URL, or that of the orchestrator on this machine: at the port in .changeover/api-port
    of the folder where this is run, or else 8090. Raises Invalid if it is none."""
    url = os.environ.get("CHANGEOVER_URL") or _url_on_this_machine()
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, or half of an IPv6 address
        is_address = False
    if not is_address:
        raise Invalid(
            f"CHANGEOVER_URL is not an address: {without_credentials(url)}.",
            f"Set it to one with its scheme, such as {DEFAULT_URL}",
        )
    return url


def _url_on_this_machine() -> str:
    try:
        port = _start_of(PORT_FILE, MOST_OF_PORT + len("\r\n") + 1).decode("ascii").strip()
    except FileNotFoundError:
        return DEFAULT_URL
    except OSError as error:
        raise Invalid(f"The file {PORT_FILE} cannot be read: {error.strerror}.", AS_OWNER) from error
    except UnicodeDecodeError as error:
        raise Invalid(f"The file {PORT_FILE} cannot be read: it is not text.", WRITE_PORT_AGAIN) from error
    if not (port.isdecimal() and len(port) <= MOST_OF_PORT and 0 < int(port) < 65536):
        raise Invalid(f"The file {PORT_FILE} has no port in it.", WRITE_PORT_AGAIN)
    return f"http://127.0.0.1:{int(port)}"


def _start_of(file: Path, size: int) -> bytes:
    """Of a file that may be anything, such as a pipe that nobody writes to or a device without an end: it came with the
    folder. Empty if it is no regular file. Raises OSError."""
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
        return opened.read(size) if stat.S_ISREG(os.fstat(opened.fileno()).st_mode) else b""


def configured_token() -> str:
    """The token in CHANGEOVER_TOKEN, in the file that CHANGEOVER_TOKEN_FILE names, or in .changeover/token.

    Empty when none is named and there is none in this folder: the orchestrator may not have started yet. Raises
    NotSignedIn when the file cannot be read.
    """
    if token := os.environ.get("CHANGEOVER_TOKEN"):
        return token.strip()
    named = os.environ.get("CHANGEOVER_TOKEN_FILE")
    file = Path(named or TOKEN_FILE)
    try:
        if named:  # by the person who runs this: it may be a pipe, as of `<(pass show changeover)`
            with file.open("rb") as opened:
                content = opened.read(MOST_OF_TOKEN)
        else:
            content = _start_of(file, MOST_OF_TOKEN)
        return content.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, FileNotFoundError) and not named:
            return ""
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise NotSignedIn(
            f"The token file {file} cannot be read: {why}.",
            "Correct CHANGEOVER_TOKEN_FILE, run this as the owner of the file, or set CHANGEOVER_TOKEN.",
        ) from error


def is_near(url: str) -> bool:
    """Whether the address is of this machine, or a name without dots in its network. A proxy server that the
    environment names for the way to the internet (HTTP_PROXY) would not find it, and would get the token."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return "." not in host or host.endswith(".localhost")


def is_https(url: str) -> bool:
    """Whether certificates are checked: at every https address. At others they are not loaded, since reading them takes
    20 ms and megabytes of memory for each connection.
    """
    return not url.lower().startswith("http://")
