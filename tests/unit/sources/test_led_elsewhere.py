"""A server that leads to another one, which cannot be reached or read: both are named, and what is to be done is about
the other one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from orchestrator.errors import StepFailed
from orchestrator.sources import web
from orchestrator.sources.web import Page, Web

FIRST, OTHER = "http://10.0.0.1/file", "http://127.0.0.1:8/mirror/file"
TO_OTHER = "http://me:T0KEN@127.0.0.1:8/mirror/file?sig=T0KEN"
NAMES_BOTH = rf"^{FIRST} leads to {OTHER}, which "
Fault = Callable[[httpx.Request], Awaitable[httpx.Response]]


async def refused(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("All connection attempts failed")


async def too_busy(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


async def breaks_off(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=BreaksOff())


async def stalls(_request: httpx.Request) -> httpx.Response:
    await asyncio.sleep(3600)
    return httpx.Response(200)


class BreaksOff(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"."
        raise httpx.ReadError("")


def leading(fault: Fault, *, by: int = 1) -> Web:
    """A server that leads there, by so many redirects."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "127.0.0.1":
            return await fault(request)
        number = int(request.url.params.get("hop", "1"))
        to = f"http://10.0.0.1/file?hop={number + 1}" if number < by else TO_OTHER
        return httpx.Response(302, headers={"location": to})

    return Web(httpx.MockTransport(answer), pause_s=0.0)


async def page(one: Web, _folder: Path) -> object:
    return await one.page(FIRST, "text/plain")


async def headers_alone(one: Web, _folder: Path) -> object:
    return await one.is_unchanged(FIRST, "text/plain", Page(FIRST, b"", "", '"1"'))


async def file(one: Web, folder: Path) -> object:
    return await one.download(FIRST, folder / "file", "0" * 64)


ASKS = (page, headers_alone, file)


@pytest.mark.parametrize("by", [1, 3])
@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(
    ("fault", "says"),
    [(refused, "nothing answers at its address and port"), (too_busy, "status 503")],
    ids=["refused", "too busy"],
)
async def test_both_servers_are_named(
    ask: Callable[[Web, Path], Awaitable[object]], fault: Fault, says: str, by: int, tmp_path: Path
) -> None:
    with pytest.raises(StepFailed, match=f"{NAMES_BOTH}cannot be read: {says}. It was tried 4 times") as failed:
        await ask(leading(fault, by=by), tmp_path)

    assert "T0KEN" not in str(failed.value)
    assert "127.0.0.1 is the orchestrator's own container" in failed.value.remedy


@pytest.mark.parametrize("ask", [page, file])
async def test_both_are_named_when_the_other_one_breaks_off(
    ask: Callable[[Web, Path], Awaitable[object]], tmp_path: Path
) -> None:
    with pytest.raises(StepFailed, match=f"{NAMES_BOTH}cannot be read: the server ended the connection"):
        await ask(leading(breaks_off), tmp_path)


async def test_both_are_named_when_the_other_one_stalls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(web, "PAGE_WITHIN_S", 0.05)

    with pytest.raises(StepFailed, match=f"{NAMES_BOTH}was not read within 0.05 s"):
        await page(leading(stalls), tmp_path)


async def test_a_first_server_that_fails_at_the_next_try_is_named_alone(tmp_path: Path) -> None:
    answers = [httpx.Response(302, headers={"location": TO_OTHER}), httpx.Response(500)]

    def answer(_request: httpx.Request) -> httpx.Response:
        return answers.pop(0) if answers else httpx.Response(502)

    with pytest.raises(StepFailed, match=f"^{FIRST} cannot be read: status 502."):
        await page(Web(httpx.MockTransport(answer), pause_s=0.0), tmp_path)
