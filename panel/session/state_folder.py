"""The folder of what a person's terminals keep (XDG Base Directory Specification, "XDG_STATE_HOME")."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """The folder, which may not be there yet. A relative XDG_STATE_HOME is ignored, as the specification wants it."""
    named = os.environ.get("XDG_STATE_HOME", "")
    home = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return home / "changeover"
