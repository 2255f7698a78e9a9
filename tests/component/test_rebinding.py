"""A name that has a public address when it is looked at, and one of this host when it is asked."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from orchestrator.errors import StepFailed
from orchestrator.sources.web import Web
from tests.support.resolver import Names

PUBLIC = "192.0.2.7"  # for documentation (RFC 5737): nobody answers there
ALSO_PUBLIC = "1.1.1.1"


@pytest.fixture
def inner() -> Iterator[tuple[int, list[str]]]:
    """A server that only this host reaches: its port, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("content-length", "6")
            self.end_headers()
            self.wfile.write(b"secret")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()
    thread.join()


class First(httpx.AsyncBaseTransport):
    """The server on the internet leads on; everything else is really asked."""

    def __init__(self, leads_to: str) -> None:
        self._leads_to, self._real = leads_to, httpx.AsyncHTTPTransport()
        self.asked: list[httpx.URL] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        if request.url.host == "public.test":
            return httpx.Response(302, headers={"location": self._leads_to})
        request.extensions["timeout"] = {"connect": 0.2, "read": 2.0, "write": 2.0, "pool": 2.0}
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        pass


async def test_a_name_that_changes_its_address_after_it_was_looked_at_does_not_reach_this_host(
    inner: tuple[int, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, asked = inner
    digest = hashlib.sha256(b"secret").hexdigest()
    for led in (False, True):
        names = Names(public_test=[ALSO_PUBLIC], evil_test=["8.8.8.8", "127.0.0.1"])
        monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
        first = First(f"http://evil.test:{port}/file")
        web = Web(first, pause_s=0.0)
        address, led_from = (
            ("http://public.test/", "") if not led else (f"http://evil.test:{port}/", "http://public.test/")
        )

        with pytest.raises(StepFailed, match=r"cannot be read|not on the internet"):
            async with asyncio.timeout(20):
                await web.download(address, tmp_path / "file", digest, led_from=led_from)

        assert asked == []
        assert {url.host for url in first.asked} - {"public.test"} <= {"8.8.8.8"}
        assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("own", "named", "why"),
    [
        ([ALSO_PUBLIC], ["", "127.0.0.1"], "that is not known by its name"),
        ([ALSO_PUBLIC], ["8.8.8.8 127.0.0.1"], "that is not on the internet"),
        ([f"{ALSO_PUBLIC} 10.0.0.1"], ["127.0.0.1"], "that is not on the internet"),
        ([f"10.0.0.1 {ALSO_PUBLIC}"], ["8.8.8.8 127.0.0.1"], "that is not on the internet"),
        ([""], ["127.0.0.1"], "that is not on the internet"),
    ],
)
async def test_a_name_with_addresses_inside_and_outside_is_neither_trusted_nor_asked(
    inner: tuple[int, list[str]], own: list[str], named: list[str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, asked = inner
    monkeypatch.setattr(socket, "getaddrinfo", Names(public_test=own, evil_test=named).getaddrinfo)

    with pytest.raises(StepFailed, match=why):
        await Web(First(f"http://evil.test:{port}/file"), pause_s=0.0).page("http://public.test/", "text/plain")
    assert asked == []


async def test_what_is_asked_by_its_address_is_still_asked_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the host that a server has several of, and for its certificate."""
    names = Names(public_test=[ALSO_PUBLIC], other_test=["8.8.8.8"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if len(requests) == 1:
            return httpx.Response(302, headers={"location": "https://other.test:8443/a?b=c"})
        return httpx.Response(200, stream=httpx.ByteStream(b"well"))

    page = await Web(httpx.MockTransport(answer)).page("https://public.test/", "text/plain")

    assert (page.content, page.url) == (b"well", "https://other.test:8443/a?b=c")
    assert str(requests[1].url) == "https://8.8.8.8:8443/a?b=c"
    assert requests[1].headers["host"] == "other.test:8443"
    assert requests[1].extensions["sni_hostname"] == "other.test"


async def test_behind_a_proxy_the_name_is_asked_because_the_proxy_looks_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    names = Names(public_test=[ALSO_PUBLIC], other_test=["8.8.8.8"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return (
            httpx.Response(302, headers={"location": "https://other.test/"})
            if len(asked) == 1
            else httpx.Response(200, stream=httpx.ByteStream(b""))
        )

    await Web(httpx.MockTransport(answer)).page("https://public.test/", "text/plain")

    assert asked[1] == "https://other.test/"
