"""The conversation of a person with the console: its turns, and where they are kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import BaseModel

MOST_TURNS = 500
"""Turns of a person that are kept; with another one, the oldest goes."""
LONGEST_INPUT, LONGEST_RESPONSE, LONGEST_STATE = 1_000, 16_000, 16_000
"""Characters of what is kept of a turn. A larger state of the dashboard is not kept."""


class Turn(BaseModel):
    """`turn` counts those of the person. `agent_response` is empty until there is one. `dashboard_state` is what the
    dashboard showed when it was asked."""

    id: int
    turn: int
    user_input: str
    agent_response: str = ""
    timestamp: str = ""
    dashboard_state: dict[str, Any] = {}  # Any: plain JSON


class Turns(Protocol):
    """Where the turns are kept. `person` is the name of the token; without one, the session's own turns are meant.

    The methods block: call them outside of the event loop. They raise StoreUnavailable.
    """

    def load(self, person: str) -> tuple[Turn, ...]:
        """The newest MOST_TURNS, the oldest first."""
        ...

    def begin(self, person: str, user_input: str, dashboard_state: dict[str, Any]) -> int:
        """Keep what was asked. Returns the turn's id."""
        ...

    def answer(self, turn: int, response: str) -> None:
        """Keep the response to the turn with this id."""
        ...


def timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def bounded(state: dict[str, Any]) -> dict[str, Any]:  # Any: plain JSON
    """The state of the dashboard, if it is not too large to be kept."""
    return state if len(json.dumps(state)) <= LONGEST_STATE else {}
