"""The state of a session of the panel, so that the next release can continue there. Stored as JSON."""

from __future__ import annotations

from pydantic import BaseModel


class SessionState(BaseModel):
    """`release` is the release that saved it, and `selected` the app under the cursor.

    `deployment` of `following_app` is the one on the progress screen; both are empty if that screen is not open.
    """

    release: str = ""
    selected: str = ""
    following_app: str = ""
    deployment: str = ""
