"""The processes of pages are forked from a template: their ends, and those of the template and the server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from panel.web import fork_server
from panel.web.fork_server import ForkServer, NotForked
from panel.web.forked import ForkedProcess

WITHIN_S = 20
TEMPLATE = """
import os, socket, sys, time
from panel.web.template import Template
if Template(socket.socket(fileno=int(sys.argv[1]))).until_forked():
    code = 0
    while True:
        word = sys.stdin.readline().strip()
        if word == "stuck": time.sleep(1000)
        elif word == "files":
            links = [f"/proc/self/fd/{one}" for one in os.listdir("/proc/self/fd") if int(one) > 2]
            print(*[os.readlink(one).split(":")[0] for one in links if os.path.exists(one)], flush=True)
        elif word == "size": print(os.environ["COLUMNS"], os.environ["ROWS"], flush=True)
        elif word == "parent": print(os.getppid(), flush=True)
        elif word == "complain": print("it hurts", file=sys.stderr, flush=True)
        else: os._exit(int(word or 0))
"""


@asynccontextmanager
async def server(template: str = TEMPLATE) -> AsyncIterator[ForkServer]:
    serving = ForkServer((sys.executable, "-c", template))
    try:
        yield serving
    finally:
        async with asyncio.timeout(WITHIN_S):
            await serving.end()


def say(process: ForkedProcess, word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n".encode())


async def answer(process: ForkedProcess, word: str) -> str:
    say(process, word)
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        return (await process.stdout.readline()).decode().strip()


async def code_of(process: ForkedProcess) -> int:
    async with asyncio.timeout(WITHIN_S):
        code = await process.wait()
    process.close()
    return code


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not what():  # noqa: ASYNC110 (the end of another one's child is no event)
            await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(("word", "code"), [("0", 0), ("3", 3)])
async def test_the_exit_code_of_a_process_is_told_and_no_zombie_stays(word: str, code: int) -> None:
    async with server() as serving:
        process = await serving.fork(80, 24)
        say(process, word)

        assert await code_of(process) == code
        assert is_gone(process.pid)


async def test_a_process_that_is_killed_is_told_by_its_signal() -> None:
    async with server() as serving:
        process = await serving.fork(80, 24)
        process.kill()

        assert await code_of(process) == -signal.SIGKILL


async def test_a_process_has_its_own_streams_and_size_and_nothing_of_the_others() -> None:
    async with server() as serving:
        first, second = [await serving.fork(*size) for size in ((80, 24), (120, 40))]
        sizes = [await answer(one, "size") for one in (first, second)]
        files = [await answer(one, "files") for one in (first, second)]
        say(second, "complain")
        assert second.stderr is not None
        async with asyncio.timeout(WITHIN_S):
            complaint = await second.stderr.readline()

        assert sizes == ["80 24", "120 40"]
        assert files == ["pipe", "pipe"], "its lifeline"
        assert complaint == b"it hurts\n"


async def test_a_template_that_dies_is_started_again_and_its_processes_go_on() -> None:
    async with server() as serving:
        before = await serving.fork(80, 24)
        template = int(await answer(before, "parent"))
        os.kill(template, signal.SIGKILL)
        await until(lambda: is_gone(template))
        after = await serving.fork(80, 24)

        assert await answer(before, "size") == "80 24"
        assert int(await answer(after, "parent")) != template
        say(before, "0")
        await code_of(before)
        assert before.returncode is not None


async def test_a_template_that_forks_nothing_is_ended_and_another_one_started(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server() as serving:
        first = await serving.fork(80, 24)
        template = int(await answer(first, "parent"))
        os.kill(template, signal.SIGSTOP)
        monkeypatch.setattr(fork_server, "FORK_DEADLINE_S", 0.2)
        with pytest.raises(NotForked, match="within"):
            await serving.fork(80, 24)
        monkeypatch.undo()

        assert await answer(await serving.fork(80, 24), "size") == "80 24"
        assert is_gone(template)


@pytest.mark.parametrize(
    ("template", "cause"),
    [("raise SystemError('broken release')", "broken release"), ("raise SystemExit(7)", "code 7")],
)
async def test_a_template_that_cannot_start_says_why(template: str, cause: str) -> None:
    async with server(template) as serving:
        for _ in range(2):
            with pytest.raises(NotForked, match=cause):
                await serving.fork(80, 24)


async def test_all_processes_end_with_the_server_also_those_that_are_stuck() -> None:
    async with server() as serving:
        processes = [await serving.fork(80, 24) for _ in range(3)]
        template = int(await answer(processes[0], "parent"))
        say(processes[1], "stuck")

    assert all(is_gone(one.pid) for one in processes)
    assert is_gone(template)


async def test_who_asks_and_goes_away_leaves_no_process() -> None:
    async with server() as serving:
        staying = await serving.fork(80, 24)
        template = int(await answer(staying, "parent"))
        for turns in range(12):
            asking = asyncio.create_task(serving.fork(80, 24))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            if not asking.cancelled():
                asking.result().kill()
        children = Path(f"/proc/{template}/task/{template}/children")

        await until(lambda: children.read_text().split() == [str(staying.pid)])
