"""What tests of the panel and of its command share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fakes.api import FakeApi


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """The API that `changeover` asks, with a token."""
    with FakeApi() as api:
        monkeypatch.setenv("CHANGEOVER_URL", api.url)
        monkeypatch.setenv("CHANGEOVER_TOKEN", "co_secret")
        yield api
