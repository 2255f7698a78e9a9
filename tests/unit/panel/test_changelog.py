"""How the panel and the command put what they know into words."""

from __future__ import annotations

from panel.client.model import Change
from panel.text.changelog import changelog


def test_a_changelog_puts_what_breaks_first_and_what_keeps_no_convention_last() -> None:
    changes = (
        Change(revision="1", kind="", scope="", subject="whatever"),
        Change(revision="2", kind="fix", scope="till", subject="count right"),
        Change(revision="3", kind="feat", scope="", subject="a cart"),
        Change(revision="4", kind="feat", scope="", subject="a new port", breaking=True),
    )

    lines = [line.strip() for line in changelog(changes) if line]

    assert [line for line in lines if line.startswith("•")] == [
        "• a new port", "• a cart", "• till: count right", "• whatever",
    ]  # fmt: skip
