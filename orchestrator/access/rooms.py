"""How many answers without an end may be open: those that look on and commands have rooms of their own.

Whoever only looks on, as a hundred open pages and monitors of one token do, keeps nobody from running a command.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """`most` are open in total, `most_of_token` by one token, the token's sessions of the panel included."""

    what: str
    most: int
    most_of_token: int


STREAMS = Room("streams of events and logs", 300, 100)
COMMANDS = Room("one-off commands", 100, 50)
"""Together they leave connections of the API for everything else (orchestrator/__main__.py)."""
