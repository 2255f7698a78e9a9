"""What one session of the panel shows, so that the next release can continue there. Plain JSON."""

from __future__ import annotations

from pydantic import BaseModel


class SessionState(BaseModel):
    """`release` is the one that saved it; `selected` the app under the cursor.

    `deployment` of `following_app` is the one on the progress screen; both are empty where that is not open.
    """

    release: str = ""
    selected: str = ""
    following_app: str = ""
    deployment: str = ""
