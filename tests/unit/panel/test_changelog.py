"""How the panel and the command put what they know into words."""

from __future__ import annotations

from panel.cli.text import update
from panel.client.model import Change, Update
from panel.text.changelog import NO_CHANGES, changelog
from tests.support import api_answers as answers


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


def test_an_update_without_known_changes_says_why() -> None:
    found = Update.model_validate(answers.update(changes=[]))

    assert NO_CHANGES in update("shop", found, answers.NOW)
