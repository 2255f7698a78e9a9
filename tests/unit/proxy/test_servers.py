"""Answers of the runtime API, read."""

from __future__ import annotations

from orchestrator.proxy.servers import current_sessions


def test_sessions_are_those_of_the_backends_own_server() -> None:
    listing = (
        "# pxname,svname,qcur,qmax,scur,smax\n"
        "app_1_blue,app,0,0,3,9\n"
        "app_1_blue,fallback,0,0,5,9\n"
        "app_2_blue,app,0,0,7,9\n\n"
    )

    assert current_sessions(listing, "app_1_blue") == 3
    assert current_sessions("No such proxy.\n", "app_1_blue") == 0
