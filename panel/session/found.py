"""What a store has found of a session's state."""

from __future__ import annotations

from dataclasses import dataclass

from panel.session.state import SessionState


@dataclass(frozen=True)
class Found:
    """`state` is None where nothing was saved, or where it cannot be read. `notice` tells the person why it is not
    used, and where it is kept; empty without a reason."""

    state: SessionState | None = None
    notice: str = ""


def set_aside(why: str, kept_as: str) -> Found:
    """`why` is the end of a sentence."""
    return Found(notice=f"What this session showed is not restored: {why}. It is kept as {kept_as}.")
