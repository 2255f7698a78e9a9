"""A page that has no place is told why, whatever the token is called."""

from __future__ import annotations

from typing import cast

import pytest
from fastapi import WebSocket

from panel.web.open_pages import MOST_OF_REASON, OpenPages, TooManyPages

SOCKET = cast(WebSocket, None)  # of a page that nothing is sent to


@pytest.mark.parametrize("token", ["ann", "t" * 64, "é" * 5000, "\ud800" * 200])
def test_the_reason_fits_into_the_close_of_a_web_socket(token: str) -> None:
    pages = OpenPages(most=5, most_of_token=1)

    with (
        pages.opened(SOCKET, "cs_1", token),
        pytest.raises(TooManyPages) as refused,
        pages.opened(SOCKET, "cs_2", token),
    ):
        pass

    reason = str(refused.value)
    assert reason.startswith("1 pages of the panel are open with token '")
    assert len(reason.encode()) <= MOST_OF_REASON
    assert len(pages) == 0
