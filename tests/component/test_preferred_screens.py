"""The preferences as they look, and the dashboard as it looks with each of them.

`pytest tests/component/test_preferred_screens.py --snapshot-update` records how they look now.
"""

from __future__ import annotations

import pytest

from panel.app import PanelApp
from tests.component.test_screens import (
    NARROW,
    WIDE,
    Snap,
    api,
    fixed_surroundings,
    panel,
    pressing,
)

__all__ = ["api", "fixed_surroundings", "panel"]

pytestmark = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def test_the_preferences(snap_compare: Snap, panel: PanelApp, size: tuple[int, int]) -> None:
    assert snap_compare(panel, terminal_size=size, run_before=pressing("comma", "PREFERENCES", "time zone UTC"))


@pytest.mark.parametrize("theme", ["light", "no_colour"])
def test_the_dashboard_in_another_theme(snap_compare: Snap, panel: PanelApp, size: tuple[int, int], theme: str) -> None:
    keys = "comma right escape" if theme == "light" else "comma left escape"
    assert snap_compare(panel, terminal_size=size, run_before=pressing(keys, "v1.0.0"))


def test_the_dashboard_compact_with_hours_to_12(snap_compare: Snap, panel: PanelApp, size: tuple[int, int]) -> None:
    keys = "comma down right down right escape"
    assert snap_compare(panel, terminal_size=size, run_before=pressing(keys, "v1.0.0", "12:00 PM"))
