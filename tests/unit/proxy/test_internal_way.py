"""Our own requests to apps: what one app answers reaches no other one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from orchestrator.proxy.internal_way import InternalWay


async def test_the_cookies_of_one_app_reach_no_other_app(tmp_path: Path) -> None:
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: session%d=secret; Path=/\r\nContent-Length: 0\r\n\r\n" % len(asked)
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(answer, tmp_path / "internal.sock"):
        way = InternalWay(tmp_path)
        await way.ask_app("shop", "/readyz", host="shop.test")
        await way.ask_app("blog", "/readyz", host="blog.test")
        await way.ask_backend("app_2_preview", "/readyz", host="blog.test", whose="blog")

    assert [headers for headers in asked if "cookie:" in headers] == []
