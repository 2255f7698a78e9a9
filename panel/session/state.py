"""The state of a session of the panel, so that the next release can continue there. Stored as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from panel.session.preferences import Preferences

FARTHEST = 10_000_000
"""The largest offset that is taken for one."""
Offset = Annotated[int, Field(ge=0, le=FARTHEST)]


class OpenQuestion(BaseModel):
    """A question that is open: of which `kind`, for which app, and what it is about: a commit, or a container."""

    kind: str
    app: str
    about: str


class Reload(BaseModel):
    """When a person asked for a reload, and when the state was saved."""

    began_at: datetime
    saved_at: datetime


class Place(BaseModel):
    """Where one is in what scrolls: the column and the line in its corner, and the key of the row under the cursor."""

    x: Offset = 0
    y: Offset = 0
    row: str = ""


class LogState(BaseModel):
    """What is chosen of a log. `top` is the moment of the line on top of one that is not followed."""

    container: str = ""
    level: str = ""
    search: str = ""
    top: datetime | None = None


class TabState(BaseModel):
    """Where one is in a tab that shows this app: in each part of it that scrolls, by its name."""

    app: str = ""
    at: dict[str, Place] = {}
    log: LogState | None = None


class DashboardState(BaseModel):
    """What a person sees of the dashboard. `words`, `sort`, `grouped` and `faults_only` arrange its list, `alone`: the
    selected app has the whole screen. `in_tab`: the keys go to the tab, not to the list.

    `top` is the line of the list on top, and `tabs` where one is in those that were opened.

    `console` says whether the console is open, and `draft` is what was typed into it. `span_s`: how far back the plots
    go, in seconds. `audit`: the tab Events shows who did what.
    """

    tab: str = ""
    in_tab: bool = False
    alone: bool = False
    words: str = ""
    sort: str = ""
    grouped: bool = False
    faults_only: bool = False
    top: Offset = 0
    tabs: dict[str, TabState] = {}
    console: bool = False
    draft: str = ""
    span_s: int = 600
    audit: bool = False


class ChangelogState(BaseModel):
    """The full changelog over an update's details: the line on top, and what is searched for."""

    top: Offset = 0
    search: str = ""


class SessionState(BaseModel):
    """`release` is the release that saved it, and `selected` the app under the cursor.

    `deployment` of `following_app` is the one on the progress screen; both are empty if that screen is not open.
    """

    release: str = ""
    selected: str = ""
    following_app: str = ""
    deployment: str = ""
    dashboard: DashboardState = DashboardState()
    preferences: Preferences = Preferences()
    told: dict[str, str] = {}
    """By app, the version of its update that this session has told."""
    question: OpenQuestion | None = None
    changelog: ChangelogState | None = None
    reload: Reload | None = None
    """The reload that ends the process which saves this; None: it goes on."""
