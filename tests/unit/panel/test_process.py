"""The processes of the panel's pages, as scripts that write packets or do not."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from panel.web.process import LARGEST_PACKET, SAVE_DEADLINE_S, AppProcess

BEGIN = """
import json, os, sys, time
def send(kind, content, size=None):
    os.write(1, kind + (size or len(content)).to_bytes(4, "big") + content)
def take():
    head = os.read(0, 5)
    return json.loads(os.read(0, int.from_bytes(head[1:], "big"))) if head else sys.exit()
os.write(1, b"__GANGLION__\\n")
"""
PAINTS = "while take()['type'] == 'paint': send(b'M', b'{\"type\": \"painted\"}')"
READS = "while True: take()"
ECHOES = "while head := os.read(0, 5): send(head[:1], os.read(0, int.from_bytes(head[1:], 'big')))"
STUCK = "time.sleep(100)"


class Script:
    """A process of asyncio's own, in the place of one that the template has forked."""

    def __init__(self, running: asyncio.subprocess.Process) -> None:
        self.stdin, self.stdout, self.stderr, self.pid = running.stdin, running.stdout, running.stderr, running.pid
        self.kill, self.wait = running.kill, running.wait
        self._running = running

    @property
    def returncode(self) -> int | None:
        return self._running.returncode

    def close(self) -> None:
        assert self.stdin is not None
        self.stdin.close()


@asynccontextmanager
async def process(script: str) -> AsyncIterator[AppProcess]:
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", BEGIN + script, stdin=pipe, stdout=pipe, stderr=pipe
    )
    app = AppProcess(Script(running))
    try:
        yield app
    finally:
        await app.end()


@pytest.mark.parametrize(
    ("script", "within_s", "paints"), [(PAINTS, 20, True), (READS, 0.2, False), (STUCK, 0.2, False)]
)
async def test_a_process_that_paints_nothing_is_found_out(script: str, within_s: float, paints: bool) -> None:
    async with process(script) as app:
        assert [await app.paints(within_s) for _ in range(2)] == [paints] * 2


async def test_a_process_whose_page_nobody_looks_at_is_not_asked_whether_it_paints() -> None:
    async with process(READS) as app:
        await app.take('["hidden"]')
        assert await app.paints(0.2)
        await app.take('["shown"]')
        assert not await app.paints(0.2)


async def test_a_process_whose_input_is_full_is_found_out_too() -> None:
    async with process(STUCK) as app:
        pasted = asyncio.create_task(app.take('["stdin", "' + "x" * 250_000 + '"]'))
        await asyncio.sleep(0)

        assert not await app.paints(0.2)
        pasted.cancel()


async def test_a_process_whose_input_is_full_keeps_no_other_page_from_being_saved() -> None:
    async with process(STUCK) as app:
        pasted = asyncio.create_task(app.take('["stdin", "' + "x" * 250_000 + '"]'))
        await asyncio.sleep(0)

        async with asyncio.timeout(SAVE_DEADLINE_S + 10):
            await app.save()
        pasted.cancel()


async def test_an_answer_of_the_pages_terminal_is_not_typed() -> None:
    async with process(ECHOES) as app:
        for message in ("\x1b]11;rgb:bbbb/bbbb/bbbb\x1b\\", "\x1b[?1;2c", "p"):
            await app.take(json.dumps(["stdin", message]))

        async with asyncio.timeout(20):
            assert await anext(app.output()) == b"p"


async def test_a_process_that_announces_a_packet_of_four_gigabytes_is_ended() -> None:
    async with process(f"send(b'D', b'', {LARGEST_PACKET + 1}); {STUCK}") as app:
        async with asyncio.timeout(20):
            assert [data async for data in app.output()] == []
        assert app.has_ended or await app._process.wait() < 0


@pytest.mark.parametrize("script", ["while True: send(b'D', b'x' * 1000)", "while True: os.write(2, b'x' * 1000)"])
async def test_a_process_whose_page_takes_nothing_more_ends_with_the_page(script: str) -> None:
    async with process(script) as app:
        await asyncio.sleep(0.3)

        async with asyncio.timeout(20):
            await app.end()

        assert app.has_ended


async def test_a_process_that_sent_a_packet_of_four_gigabytes_and_more_after_it_ends() -> None:
    async with process(f"send(b'D', b'', {LARGEST_PACKET + 1}); send(b'D', b'x' * 1000000)") as app:
        async with asyncio.timeout(20):
            assert [data async for data in app.output()] == []
            await app.end()


async def test_a_link_is_for_the_page_and_one_that_is_a_script_for_nobody() -> None:
    links = ["javascript:alert(1)", "file:///etc/passwd", "https://example.org/notes"]
    script = f"for url in {links}: send(b'M', json.dumps(dict(type='open_url', url=url, new_tab=True)).encode())"
    async with process(script) as app, asyncio.timeout(20):
        messages = [data async for data in app.output()]

    assert messages == [json.dumps(["open_url", {"url": links[-1], "new_tab": True}])]


async def test_what_a_process_takes_of_memory_is_seen() -> None:
    async with process("kept = b'x' * 50_000_000; send(b'D', b'ready'); take()") as app:
        async with asyncio.timeout(20):
            await anext(app.output())
        assert 50 < app.memory_mb < 150
        await app.end()
        assert app.memory_mb == 0
