"""Where a container listens, from the kernel's tables."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import pytest

from orchestrator.domain.listeners import Listener, listeners, remedy_for, why_unreachable

HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
LOOPBACK = "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1"
EVERYWHERE = "   1: 00000000:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1"
CONNECTED = "   2: 0100007F:0BB9 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 1 1"
DNS = "   3: 0B00007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1"
SIX = "   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 1 1"


def one(address: str, port: int) -> Listener:
    return Listener(ipaddress.ip_address(address), port)


def test_only_listening_sockets_of_the_app_count() -> None:
    assert listeners([HEADING, LOOPBACK, EVERYWHERE, CONNECTED, DNS, "", "odd"]) == (
        one("127.0.0.1", 3000),
        one("0.0.0.0", 8000),
    )
    assert listeners([SIX]) == (one("::1", 3000),)


def test_the_tables_of_this_kernel_are_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = listeners(Path("/proc/net/tcp").read_text().splitlines())

    assert one("127.0.0.1", port) in found


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], ""),
        ([one("0.0.0.0", 8000)], ""),
        ([one("::", 8000)], ""),
        ([one("172.30.1.2", 8000)], ""),
        ([one("127.0.0.1", 8000)], "it listens on 127.0.0.1:8000; it must listen on 0.0.0.0:8000"),
        ([one("127.0.0.1", 3000)], "it listens on 127.0.0.1:3000; it must listen on 0.0.0.0:8000"),
        ([one("0.0.0.0", 3000)], "it listens on 0.0.0.0:3000; it must listen on 0.0.0.0:8000"),
        ([one("::1", 8000)], "it listens on [::1]:8000; it must listen on 0.0.0.0:8000"),
        (
            [one("0.0.0.0", 9000), one("127.0.0.1", 8000)],
            "it listens on 127.0.0.1:8000; it must listen on 0.0.0.0:8000",
        ),
        ([one("127.0.0.1", 8000), one("0.0.0.0", 8000)], ""),
        (
            [one("127.0.0.1", 5000), one("0.0.0.0", 9090), one("0.0.0.0", 3000)],
            "it listens on 0.0.0.0:3000, 0.0.0.0:9090, 127.0.0.1:5000; it must listen on 0.0.0.0:8000",
        ),
        (
            [one("0.0.0.0", port) for port in range(1, 8)],
            "it listens on 0.0.0.0:1, 0.0.0.0:2, 0.0.0.0:3, 0.0.0.0:4, 0.0.0.0:5 and 2 more; "
            "it must listen on 0.0.0.0:8000",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_where_nothing_listens_yet(found: list[Listener], says: str) -> None:
    assert why_unreachable(found, 8000) == says


def test_a_socket_of_ipv6_that_has_refused_connections_by_ipv4_is_for_ipv6_only() -> None:
    everywhere = [one("::", 8000)]

    says = why_unreachable(everywhere, 8000, refused=everywhere)

    assert says == "it listens on [::]:8000, for IPv6 only; it must listen on 0.0.0.0:8000"
    assert why_unreachable([*everywhere, one("0.0.0.0", 8000)], 8000, refused=everywhere) == ""


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([one("::", 8000)], ("Let the app listen on 0.0.0.0 instead of ::: requests come to it by IPv4", "is right")),
        ([one("127.0.0.1", 8000)], ("Let the app listen on 0.0.0.0 instead of 127.0.0.1", "run.port of shop is right")),
        ([one("::1", 8000), one("0.0.0.0", 9000)], ("instead of ::1", "run.port of shop is right")),
        ([one("127.0.0.1", 3000)], ("instead of 127.0.0.1", "And set run.port of shop to 3000")),
        (
            [one("127.0.0.1", 1), one("0.0.0.0", 9090), one("::", 3000)],
            ("Set run.port of shop to the one of 3000, 9090", ""),
        ),
        ([one("127.0.0.1", 1), one("0.0.0.0", 3000)], ("Set run.port of shop to 3000, or let", "")),
        ([one("0.0.0.0", 3000)], ("Set run.port of shop to 3000, or let the app listen on port 8000", "")),
    ],
)
def test_the_remedy_is_that_of_the_case(found: list[Listener], says: tuple[str, str]) -> None:
    remedy = remedy_for(found, 8000, "shop")

    assert remedy.startswith(says[0]) or says[0] in remedy
    assert says[1] in remedy
