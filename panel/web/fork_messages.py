"""What the web server and the template tell each other: one message a packet, on a pair of sockets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

LARGEST_MESSAGE = 4096
FILES = 4
"""What comes with an order: standard input, output and error of the new process, and its lifeline."""


@dataclass(frozen=True)
class Order:
    """Start a process whose first screen has this size."""

    number: int
    columns: int
    rows: int


@dataclass(frozen=True)
class Started:
    """The process of an order runs; or it does not, and `problem` says why."""

    number: int
    pid: int
    problem: str = ""


@dataclass(frozen=True)
class Ended:
    """`code` is that of its exit, or the negative number of the signal that has ended it."""

    pid: int
    code: int


Message = Order | Started | Ended


def encoded(message: Message) -> bytes:
    return json.dumps({"kind": type(message).__name__, **asdict(message)}).encode()


def decoded(packet: bytes) -> Message:
    fields: dict[str, Any] = json.loads(packet)  # Any: as json has it
    kinds: dict[str, type[Message]] = {one.__name__: one for one in (Order, Started, Ended)}
    return kinds[fields.pop("kind")](**fields)
