"""Answers of the runtime API, read."""

from __future__ import annotations

from orchestrator.proxy.sessions import current_sessions, identifiers


def test_sessions_are_those_of_the_backends_own_server() -> None:
    listing = (
        "# pxname,svname,qcur,qmax,scur,smax\n"
        "app_1_blue,app,0,0,3,9\n"
        "app_1_blue,fallback,0,0,5,9\n"
        "app_2_blue,app,0,0,7,9\n\n"
    )

    assert current_sessions(listing, "app_1_blue") == 3
    assert current_sessions("No such proxy.\n", "app_1_blue") == 0


def test_the_sessions_of_one_backend_are_found_by_their_identifiers() -> None:
    listing = (
        "0x7f4b1e855c00: proto=tcpv4 src=127.0.0.1:55728 fe=public be=app_1_blue srv=app ts=00 epoch=0\n"
        "0x7f4b1e855d00: proto=tcpv4 src=127.0.0.1:55729 fe=public be=app_11_blue srv=app ts=00 epoch=0\n"
        "0x7f4b1e856000: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0\n\n"
    )

    assert identifiers(listing, "app_1_blue") == ["0x7f4b1e855c00"]
    assert identifiers("", "app_1_blue") == []
