"""Answers of the runtime API, read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from orchestrator.proxy.runtime import Worker
from orchestrator.proxy.sessions import count, current_sessions, cut, has_any, identifiers


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
        "0x7f4b1e855c00: src=127.0.0.1:55728 fe=public be=app_1_blue srv=app ts=00 epoch=0\n"
        "0x7f4b1e855d00: src=127.0.0.1:55729 fe=public be=app_11_blue srv=app ts=00 epoch=0\n"
        "0x7f4b1e855e00: src=127.0.0.1:55730 fe=public be=app_1_blue srv=fallback ts=00 epoch=0\n"
        "0x7f4b1e855f00: src=127.0.0.1:55731 fe=public be=app_1_blue srv=<none> ts=00 epoch=0\n"
        "0x7f4b1e856000: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0\n\n"
    )

    assert identifiers(listing, "app_1_blue/app") == ["0x7f4b1e855c00", "0x7f4b1e855f00"]
    assert identifiers("", "app_1_blue/app") == []


STATISTICS = (
    "# pxname,svname,qcur,qmax,scur,smax,status\n"
    "app_1_blue,app,0,0,{served},1,no check\n"
    "app_1_blue,fallback,0,0,0,0,MAINT\n"
    "app_1_blue,BACKEND,1,1,{all},3,UP\n\n"
)
SESSIONS = (
    "0x7f3030d01800: src=127.0.0.1:48224 fe=public be=app_1_blue srv=<none> ts=00 scb=[2,1811h,fd=-1] exp=59s\n"
    "0x7f3030d01c00: src=127.0.0.1:39484 fe=public be=app_1_blue srv=app ts=00 scb=[3,1h,fd=-1] exp=0s\n"
    "0x7f3030d02000: src=127.0.0.1:39485 fe=public be=app_1_green srv=app ts=00 scb=[3,1h,fd=-1] exp=0s\n"
    "0x7f30312a0000: src=127.0.0.1:48230 fe=public be=app_1_blue srv=app ts=00 scb=[8,1411h,fd=17] exp=0s\n"
    "0x7f30312a0400: src=127.0.0.1:48231 fe=public be=app_1_blue srv=app ts=00 scb=[10,1h,fd=-1] exp=0s\n\n"
)
"""Of HAProxy 3.0: in a queue, waiting for another try, the same of another backend, served, and served already, with a
client that has not read all of it."""


@dataclass
class Told:
    """The current worker, which answers with these texts."""

    statistics: str
    current: bool = True
    sessions: str = SESSIONS
    ended: list[str] = field(default_factory=list)

    async def ask(self, command: str) -> str:
        match command.split():
            case ["show", "stat", "internal", *_]:
                return f"# pxname,svname,qcur,qmax,scur\ninternal,FRONTEND,0,0,{self.sessions.count('fe=internal')}\n\n"
            case ["show", "stat", *_]:
                return self.statistics
            case ["show", "sess"]:
                return self.sessions
            case ["shutdown", *what]:
                self.ended.append(" ".join(what))
        return "\n"

    async def tell(self, command: str) -> None:
        await self.ask(command)


def answering(served: int, all_of_them: int) -> tuple[Told, Worker]:
    told = Told(STATISTICS.format(served=served, all=all_of_them))
    return told, cast(Worker, told)


async def test_requests_that_wait_for_a_connection_are_in_hand() -> None:
    """They were not counted: a paused app was called drained, and served them while its data was migrated."""
    told, worker = answering(0, 3)
    told.sessions = "".join(line for line in SESSIONS.splitlines(keepends=True) if "scb=[8" not in line)

    assert await count(worker, "app_1_blue/app") == 2
    assert await count(worker, "app_1_blue/fallback") == 0, "one in maintenance gets none of them"
    assert await count(answering(3, 5)[1], "app_1_blue/app") == 3
    assert await count(answering(0, 0)[1], "app_1_blue/app") == 0


@dataclass
class Moving:
    """One client's request, which has waited for a connection until the command of this number is answered; and a
    probe, if there is one."""

    served_from: int
    probe: bool
    commands: int = 0
    current: bool = True

    async def ask(self, command: str) -> str:
        is_served = self.commands >= self.served_from
        self.commands += 1
        match command.split():
            case ["show", "stat", "internal", *_]:
                return f"# pxname,svname,qcur,qmax,scur\ninternal,FRONTEND,0,0,{int(self.probe)}\n\n"
            case ["show", "stat", *_]:
                return STATISTICS.format(served=int(is_served) + int(self.probe), all=1 + int(self.probe))
        side = "scb=[8,1h,fd=9]" if is_served else "scb=[3,1h,fd=-1]"
        client = f"0x7f30312c0000: src=127.0.0.1:1 fe=public be=app_1_blue srv=app ts=00 {side} exp=0s\n"
        probe = "0x7f30312b0000: src=unix:1 fe=internal be=app_1_blue srv=app ts=00 scb=[8,1h,fd=8] exp=0s\n"
        return client + (probe if self.probe else "")


@pytest.mark.parametrize("probe", [False, True], ids=["alone", "beside a probe"])
@pytest.mark.parametrize("served_from", range(6))
async def test_a_request_that_gets_its_connection_between_two_questions_is_in_hand(
    served_from: int, *, probe: bool
) -> None:
    """It was counted as neither: an app was called drained while it wrote, and that write was lost with the data."""
    assert await count(cast(Worker, Moving(served_from, probe)), "app_1_blue/app") == 1
    assert await has_any(cast(Worker, Moving(served_from, probe)), "app_1_blue/app")


async def test_our_own_probes_that_try_to_connect_or_wait_for_an_answer_are_not_in_hand() -> None:
    """HAProxy counts these as sessions of the server."""
    probe = "0x7f30312b0000: proto=unix_stream src=unix:1 fe=internal be=app_1_blue srv=app ts=00 scb=[7,1h,fd=9]\n"
    told, worker = answering(1, 1)
    told.sessions = probe

    assert await count(worker, "app_1_blue/app") == 0

    told.statistics = STATISTICS.format(served=2, all=2)
    told.sessions = probe + "0x7f30312c0000: src=127.0.0.1:1 fe=public be=app_1_blue srv=app ts=00 scb=[8,1h,fd=9]\n"

    assert await count(worker, "app_1_blue/app") == 1


async def test_our_own_probes_that_wait_for_a_container_that_is_stopped_are_not_in_hand() -> None:
    """A rollback with a restore waited 30 s for them after its switch, and then said that it had cut requests."""
    probe = "0x7f30312b0000: proto=unix_stream src=unix:1 fe=internal be=app_1_blue srv=app ts=00 scb=[3,1h,fd=-1]\n"
    told, worker = answering(0, 1)
    told.sessions = probe

    assert await count(worker, "app_1_blue/app") == 0
    await cut(worker, "app_1_blue/app")
    assert "session 0x7f30312b0000" in told.ended, "one that is left would get the connection of another one"


async def test_a_cut_ends_what_waits_before_what_is_served() -> None:
    told, worker = answering(1, 4)

    await cut(worker, "app_1_blue/app")
    await cut(worker, "app_1_blue/fallback")

    assert told.ended == [
        "session 0x7f3030d01800",
        "session 0x7f3030d01c00",
        "sessions server app_1_blue/app",
        "sessions server app_1_blue/fallback",
    ]
