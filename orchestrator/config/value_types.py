"""Kinds of text in the configuration: command lines, host names, URL paths."""

from __future__ import annotations

import ipaddress
import re
import shlex
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from border.secrets import LEAST
from orchestrator.config.durations import seconds
from orchestrator.config.section import Unit


def _of_words(value: str) -> str:
    """A command line that shlex can split. Without a word, the image's own command would run in its place."""
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise ValueError("expected a command line whose quotes are closed, such as alembic upgrade head") from error
    if not words or not words[0]:
        raise ValueError("expected a command line with a program, such as alembic upgrade head")
    return value


Command = Annotated[str, AfterValidator(_of_words), Unit("command line")]
CommandOrNone = Annotated[Annotated[str, AfterValidator(_of_words)] | None, Unit("command line")]
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")

_PORT = re.compile(r"^[^\[:]*:\d*$|\]:")
"""After a name or an address in brackets. A single colon without digits is one, too: `shop.test:`."""
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
"""The last part of a host that ends in a number (https://url.spec.whatwg.org/#ends-in-a-number-checker)."""


def _bare_host(value: str) -> str:
    host = value.lower().removesuffix(".")
    if not host.isascii():
        raise ValueError("expected a host name as browsers send it: with other letters than a to z it begins with xn--")
    if host.startswith("*."):
        raise ValueError("expected each host name by itself: names with * are not supported")
    if wrong := _wrong_in(host):
        raise ValueError(f"expected a host name such as shop.example.com: {wrong}")
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and not _is_address(host):
        raise ValueError("expected a host name as browsers send it: one that ends in a number is an IPv4 address there")
    return host


def _wrong_in(host: str) -> str:
    """What keeps a text from being a host name (RFC 1123, section 2.1), or empty: the first of what it has."""
    if "/" in host or _PORT.search(host):
        return "it has no scheme, port or path"
    if host.startswith("[") or ":" in host:
        return "IPv6 addresses are not supported"
    if other := next((one for one in host if not (one.isalnum() or one in "-.")), ""):
        return f"it has letters, digits, '-' and '.', and not {_said(other)}"
    if len(host) > 253:
        return "it has at most 253 characters"
    labels = host.split(".")
    if "" in labels:
        return "between two dots, and at both ends, there is a letter or a digit"
    if max(map(len, labels)) > 63:
        return "between two dots there are at most 63 characters"
    return "" if _HOST_NAME.fullmatch(host) else "a part of it begins or ends with '-'"


def _said(character: str) -> str:
    if character.isspace():
        return "white space"
    return f"'{character}'" if character.isprintable() else "control characters"


def _is_address(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False


HostName = Annotated[str, AfterValidator(_bare_host), Unit("host name")]
HostNameOrNone = Annotated[Annotated[str, AfterValidator(_bare_host)] | None, Unit("host name")]

ProxySeconds = Annotated[
    float, BeforeValidator(seconds), Field(ge=0.001, le=2_000_000), Unit("seconds or 90s, 10m, 1h, 20d")
]
"""HAProxy counts milliseconds in 31 bits."""


def _absolute(value: str) -> str:
    if not _URL_PATH.fullmatch(value):
        raise ValueError("expected a URL path that begins with /, without host and spaces, such as /readyz")
    return value


_URL_PATH = re.compile(r"/[\x21-\x22\x24-\x7e]{0,2000}")
UrlPath = Annotated[str, AfterValidator(_absolute), Unit("URL path")]
UrlPathOrNone = Annotated[Annotated[str, AfterValidator(_absolute)] | None, Unit("URL path")]


_UNITS = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}
LEAST_MEMORY = 6 * 2**20
"""Docker refuses a container with less ("Minimum memory limit allowed is 6MB")."""
MOST_MEMORY = 2**60


def _size(value: object) -> str:
    """A size of memory. A number without a unit is nearly always meant as MiB, and Docker reads it as bytes."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("expected a size such as 256m or 1g")
    text = str(value)
    if isinstance(value, int) or not re.fullmatch(r"[0-9]{1,15}[bkmg]?", text):
        raise ValueError(f"expected a size such as 256m or 1g{_perhaps(text)}")
    if in_bytes(text) < LEAST_MEMORY:
        raise ValueError(f"expected a size of at least 6m, such as 256m or 1g{_perhaps(text)}")
    if in_bytes(text) > MOST_MEMORY:
        raise ValueError("expected a size such as 256m or 1g, not more than any machine has")
    return text


def _perhaps(text: str) -> str:
    """What may be meant by `128`, `128k`, `128M` or `128 MB`; empty where nothing is near."""
    match = re.fullmatch(r"([0-9]{1,15}) ?([bkmg]?)i?b?", text.lower())
    if match is None:
        return ""
    number, unit = int(match[1]), match[2] or "b"
    size = number * _UNITS[unit]
    if LEAST_MEMORY <= size <= MOST_MEMORY:
        near = f"{number}{unit}" if unit != "b" else f"{size // 2**20}m" if size % 2**20 == 0 else ""
    elif LEAST_MEMORY <= number * 2**20 <= 2**40:
        near = f"{number}m"
    else:
        near = ""
    return f". Did you mean {near}?" if near and len(near) < LEAST else ""


Size = Annotated[str, BeforeValidator(_size)]


def in_bytes(size: str) -> int:
    """A Size as a number of bytes, read as Docker reads it."""
    return int(size.rstrip("bkmg")) * _UNITS.get(size[-1], 1)


def with_names(variables: dict[str, str]) -> dict[str, str]:
    """Variables whose names are names: one with `=` in it would set another variable than it seems to."""
    for name, value in variables.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name) or "\0" in value:
            has_value = ". Write NAME: value, not NAME=value" if "=" in name else ""
            shown = name.partition("=")[0][:40]
            raise ValueError(f"expected names of letters, digits and _, such as LOG_LEVEL, not '{shown}'{has_value}")
    return variables
