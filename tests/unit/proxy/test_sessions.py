"""Answers of the runtime API, read."""

from __future__ import annotations

from orchestrator.proxy.sessions import current_sessions, identifiers


def test_sessions_are_those_of_one_server() -> None:
    listing = (
        "# pxname,svname,qcur,qmax,scur,smax\n"
        "app_1_blue,app,0,0,3,9\n"
        "app_1_blue,fallback,0,0,5,9\n"
        "app_2_blue,app,0,0,7,9\n\n"
    )

    assert current_sessions(listing, "app_1_blue/app") == 3
    assert current_sessions(listing, "app_1_blue/fallback") == 5
    assert current_sessions("No such proxy.\n", "app_1_blue/app") == 0


def test_the_sessions_of_one_server_are_found_by_their_identifiers_with_those_that_have_none_yet() -> None:
    listing = (
        "0x7f4b1e855c00: proto=tcpv4 src=127.0.0.1:55728 fe=public be=app_1_blue srv=app ts=00 epoch=0\n"
        "0x7f4b1e855d00: proto=tcpv4 src=127.0.0.1:55729 fe=public be=app_11_blue srv=app ts=00 epoch=0\n"
        "0x7f4b1e855e00: proto=tcpv4 src=127.0.0.1:55730 fe=public be=app_1_blue srv=fallback ts=00 epoch=0\n"
        "0x7f4b1e855f00: proto=tcpv4 src=127.0.0.1:55731 fe=public be=app_1_blue srv=<none> ts=00 epoch=0\n"
        "0x7f4b1e856000: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0\n\n"
    )

    assert identifiers(listing, "app_1_blue/app") == ["0x7f4b1e855c00", "0x7f4b1e855f00"]
    assert identifiers("", "app_1_blue/app") == []
