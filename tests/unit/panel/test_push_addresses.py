"""Addresses of hooks that only this machine reaches are told as such."""

from __future__ import annotations

import pytest

from panel.cli.pushes import NOT_REACHED, _entries
from panel.client.push_requests import Hook, PushSecret
from panel.screens.confirm import changes_in_words
from panel.text.changelog import NO_CHANGES, NO_LIVE_RELEASE


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://[::1]:1", True),
        ("https://panel.example.com", False),
    ],
)
def test_an_address_that_no_forge_reaches_is_told(url: str, told: bool) -> None:
    made = PushSecret(secret="s", file="f", url=url, hooks=(Hook(forge="gitea", path="/v1/hooks/shop/gitea"),))

    assert (NOT_REACHED in _entries("shop", made)) is told


def test_a_first_release_is_not_compared_with_one_that_is_not_there() -> None:
    assert changes_in_words(0, listed=True, has_live=False) == NO_LIVE_RELEASE
    assert changes_in_words(0, listed=True) == NO_CHANGES
