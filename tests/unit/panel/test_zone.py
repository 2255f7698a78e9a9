"""The zone that a page names: whatever it is, the page's process goes on."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from panel.web.zone import zone_of


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_a_zone_is_the_one_of_its_name(name: str) -> None:
    assert zone_of(name) == ZoneInfo(name)


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "Mars/Olympus_Mons", "Europe", "Europe/", "/etc/passwd", "../../../etc/passwd", ":/etc/localtime",
        "Europe/../../../../etc/passwd", "Europe/Berlin\n", "Europe/Berlin\x00", "\x1b]0;title\x07", "\x1b[2J",
        "%2e%2e", "leapseconds", "tzdata.zi", "[bold]UTC[/]", "UTC;rm -rf", "Ünïcode", "\ud800", "x" * 10_000,
        "a/" * 5_000, "A" * 32,
    ],
)  # fmt: skip
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone_of(name) is None
