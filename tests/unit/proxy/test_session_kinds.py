"""What HAProxy says of its sessions, read: which are requests, uploads, streams and WebSockets."""

from __future__ import annotations

import pytest

from orchestrator.domain.in_hand import InHand
from orchestrator.proxy.session_kinds import SessionKind, counted, of_servers, sessions_in


def details(
    identifier: str,
    backend: str,
    request: str,
    answer: str,
    age: str = "0s",
    server: str = "app",
    status: int = -1,
    frontend: str = "public",
) -> str:
    """One session of `show sess all` of HAProxy 3.0, shortened."""
    return (
        f"{identifier}: [25/Nov/2026:23:11:35.132146] id=2 proto=tcpv4 source=172.17.0.1:51416\n"
        "  flags=0x400c4a, conn_retries=0, conn_exp=<NEVER> conn_et=0x000 srv_conn=0x7f0df8e68000, waiting=0 epoch=0\n"
        f"  frontend={frontend} (id=2 mode=http), listener=? (id=1) addr=172.17.0.2:8080\n"
        f"  backend={backend} (id=6 mode=http) addr=172.17.0.2:51216\n"
        f"  server={server} (id=1) addr=172.17.0.1:33335\n"
        f"  task=0x7f0df8006140 (state=0x00 nice=0 calls=4 rate=1 exp=23h59m tid=0(1/0) age={age})\n"
        f"  txn=0x7f0df8e338c0 flags=0x8000 meth=1 status={status} req.st=MSG_{request} rsp.st=MSG_{answer}\n"
        "  scf=0x7f0df8e22920 flags=0x00001400 ioto=1d state=EST endp=CONN,0x7f0df7f4d200,0x50602001 sub=1\n"
        "      h1s=0x7f0df7f4d200 h1s.flg=0xc010 .req.state=MSG_TUNNEL .res.state=MSG_TUNNEL\n"
    )


OF_THE_COMMAND = (
    "0x7f0df813b000: [25/Nov/2026:23:11:35.727375] id=16 proto=unix_stream source=unix:1\n"
    "  frontend=GLOBAL (id=0 mode=tcp), listener=? (id=1) addr=unix:1\n"
    "  backend=<NONE> (id=-1 mode=-)\n"
    "  task=0x7f0df8007540 (state=0x00 nice=-64 calls=1 rate=0 exp=10s tid=1(1/1) age=0s)\n"
)


def test_the_kind_of_a_session_follows_from_the_states_of_its_request_and_answer() -> None:
    listing = (
        OF_THE_COMMAND
        + details("0x1", "app_1_blue", "TUNNEL", "TUNNEL", "1m5s")
        + details("0x2", "app_1_blue", "DONE", "RPBEFORE")
        + details("0x3", "app_1_blue", "DATA", "RPBEFORE", "2h")
        + details("0x4", "app_1_blue", "DONE", "DATA", "3s")
        + details("0x5", "app_11_blue", "DONE", "DATA", "3s")
        + OF_THE_COMMAND
    )

    found = of_servers(sessions_in(listing), {"app_1_blue/app"})

    assert [(one.identifier, one.kind, one.age_s) for one in found] == [
        ("0x1", SessionKind.WEBSOCKET, 65),
        ("0x2", SessionKind.REQUEST, 0),
        ("0x3", SessionKind.UPLOAD, 7200),
        ("0x4", SessionKind.STREAM, 3),
    ]
    assert counted(found) == InHand(requests=1, uploads=1, streams=1, websockets=1)
    assert sessions_in("") == []


def test_our_own_probes_are_not_in_hand() -> None:
    """Those of a silent app piled up, and a deployment of its mended release waited for them and called them cut."""
    listing = details("0x1", "app_1_blue", "DONE", "RPBEFORE", frontend="internal")
    listing += details("0x2", "app_1_blue", "DONE", "RPBEFORE")

    assert [one.identifier for one in sessions_in(listing)] == ["0x2"]


def test_a_request_in_a_queue_is_one_of_its_backend() -> None:
    listing = details("0x1", "app_1_blue", "DONE", "RPBEFORE", server="<none>") + OF_THE_COMMAND

    assert counted(of_servers(sessions_in(listing), {"app_1_blue/app", "app_1_green/fallback"})) == InHand(requests=1)
    assert counted(of_servers(sessions_in(listing), {"app_1_green/app", "app_1_blue/fallback"})) == InHand()


@pytest.mark.parametrize("request_state", ["TUNNEL", "DONE", "CLOSED"])
@pytest.mark.parametrize(("status", "kind"), [(101, SessionKind.WEBSOCKET), (200, SessionKind.STREAM)])
def test_an_answer_whose_end_is_that_of_its_connection_is_no_websocket(
    request_state: str, status: int, kind: SessionKind
) -> None:
    """One of HTTP/1.0 or without a length: HAProxy passes it on as a tunnel. A WebSocket was answered by 101."""
    (found,) = sessions_in(details("0x1", "app_1_blue", request_state, "TUNNEL", status=status))

    assert found.kind is kind
    assert found.is_long_lived(older_than_s=5.0) is (kind is SessionKind.WEBSOCKET)
