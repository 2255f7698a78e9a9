"""A name that has a public address when it is looked at, and one of this host when it is asked."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.sources.git import GitRepository
from orchestrator.sources.git_lfs import Pointer
from orchestrator.sources.git_submodules import of_server
from orchestrator.sources.lfs_download import LfsServer, download
from orchestrator.sources.private_address import Judgement
from orchestrator.sources.web import Web
from tests.support.git_repository import Remote
from tests.support.git_server import GitServer
from tests.support.in_thread import InThread
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
    with InThread(server):
        yield server.server_address[1], asked


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


class Peer:
    """A connection to a server at this address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, info: str) -> tuple[str, int] | None:
        return (self._address, 80) if info == "server_addr" else None


@pytest.mark.parametrize("href", ["http://127.0.0.1/latest", "http://intra.test/latest", "/file"])
async def test_what_a_server_of_lfs_names_is_judged_by_where_that_was_when_it_was_asked(
    tmp_path: Path, href: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(public_test=[ALSO_PUBLIC], evil_test=["8.8.8.8", "127.0.0.1"], intra_test=["10.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    asked: list[str] = []
    oid = hashlib.sha256(b"secret").hexdigest()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.method == "GET":
            return httpx.Response(200, stream=httpx.ByteStream(b"secret"))
        said = {"objects": [{"oid": oid, "actions": {"download": {"href": href}}}]}
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(said).encode()))

    web = Web(httpx.MockTransport(answer), pause_s=0.0)
    server = LfsServer("http://evil.test/x.git/info/lfs", "", "http://public.test/shop.git")
    pointers = [Pointer(tmp_path / "x", oid, len(b"secret"))]
    if href == "/file":
        await download(web, server, tmp_path, pointers)
        assert asked == ["8.8.8.8", "8.8.8.8"]
    else:
        with pytest.raises(StepFailed, match="that is not on the internet"):
            await download(web, server, tmp_path, pointers)
        assert asked == ["8.8.8.8"]


@pytest.mark.parametrize("is_configured", [True, False])
async def test_a_server_that_was_on_the_internet_does_not_lead_inside_when_its_name_is_there_now(
    is_configured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configured server is not looked at before it is asked: where it answered from is what counts."""
    evil = ["127.0.0.1"] if is_configured else ["8.8.8.8", "127.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", Names(public_test=[ALSO_PUBLIC], evil_test=evil).getaddrinfo)
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        leads = {"network_stream": Peer("8.8.8.8")} if is_configured else {}
        return httpx.Response(302, headers={"location": "http://127.0.0.1/secret"}, extensions=leads)

    led_from = "" if is_configured else "http://public.test/"
    with pytest.raises(StepFailed, match="that is not on the internet"):
        await Web(httpx.MockTransport(answer)).page("http://evil.test/", "text/plain", led_from=led_from)
    assert len(asked) == 1


async def test_a_server_inside_leads_where_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(inner_test=["10.0.0.1"]).getaddrinfo)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "inner.test":
            headers = {"location": "http://127.0.0.1/"}
            return httpx.Response(302, headers=headers, extensions={"network_stream": Peer("10.0.0.1")})
        return httpx.Response(200, stream=httpx.ByteStream(b"well"))

    assert (await Web(httpx.MockTransport(answer)).page("http://inner.test/", "text/plain")).content == b"well"


async def test_a_repository_that_was_named_names_nothing_inside_and_its_own_server_where_that_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names(git_test=[ALSO_PUBLIC], evil_test=["8.8.8.8", "127.0.0.1"], intra_test=["10.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    settings = GitSource(remote="https://git.test/app.git", submodules=True)

    named = await of_server(settings, settings.remote, "https://evil.test/a.git")
    evil = named.settings.remote
    with pytest.raises(StepFailed, match="it is not on the internet"):
        await of_server(named.settings, evil, "https://intra.test/x.git", named.judged)

    assert (await of_server(named.settings, evil, "../b.git", named.judged)).judged.addresses == ("8.8.8.8",)


async def test_a_submodule_has_its_files_in_lfs_from_where_it_was_and_no_submodule_inside(tmp_path: Path) -> None:
    """No resolver knows its name any more."""
    served, content = tmp_path / "served", b"the picture"
    oid = hashlib.sha256(content).hexdigest()
    (served / "lfs").mkdir(parents=True)
    (served / "lfs" / oid).write_bytes(content)
    inner = Remote(served / "inner.git")
    secret = inner.commit("feat: secret")
    module = Remote(served / "module.git")
    (module.path / ".gitattributes").write_text("*.png filter=lfs diff=lfs merge=lfs -text\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"
    with_lfs = module.commit("feat: picture", "a.png", pointer)
    with GitServer(served, "") as server:
        port = server.url.rpartition(":")[2]
        text = f'[submodule "x"]\n\tpath = x\n\turl = http://127.0.0.1:{port}/inner.git\n'
        (module.path / ".gitmodules").write_text(text)
        module.git("update-index", "--add", "--cacheinfo", f"160000,{secret},x")
        module.git("add", ".gitmodules")
        module.git("commit", "--quiet", "-m", "feat: hostile")
        hostile = module.git("rev-parse", "HEAD")
        settings = GitSource(remote=f"http://named.test:{port}/module.git", lfs=True, submodules=True)
        there = Judgement(is_public=True, addresses=("127.0.0.1",))
        source = GitRepository(settings, tmp_path / "mirrors" / "x.git", tmp_path, depth=1, judged=there)
        await source.bring(with_lfs)
        await source.fetch(with_lfs, tmp_path / "tree")
        assert (tmp_path / "tree" / "a.png").read_bytes() == content

        await source.bring(hostile)
        with pytest.raises(StepFailed, match="it is not on the internet"):
            await source.fetch(hostile, tmp_path / "tree")
