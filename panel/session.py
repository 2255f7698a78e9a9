"""What one session of the panel showed, so that the next release can go on there. Plain JSON."""

from __future__ import annotations

from pydantic import BaseModel


class SessionState(BaseModel):
    """`release` is the one that saved it; `deployment` the one that was followed, if any."""

    release: str = ""
    selected: str = ""
    following_app: str = ""
    deployment: str = ""
