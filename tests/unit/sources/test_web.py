"""A web server as a source: what it may do wrong, and what becomes of it."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from orchestrator.errors import StepFailed
from orchestrator.sources import web
from orchestrator.sources.web import NotThere, Unauthorised, Web

CONTENT = b"what the server has"
URL = "http://127.0.0.1/file"


class Piece(httpx.AsyncByteStream):
    """A body that ends with an error, or says less than it has announced."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self._pieces, self._error = pieces, error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._error:
            raise self._error


class Server(httpx.AsyncBaseTransport):
    """Answers one request after another; the last answer again and again."""

    def __init__(self, *answers: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)


def ok(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=Piece(CONTENT), headers={"etag": '"1"', "content-type": "text/plain; charset=x"})


def status(number: int, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: httpx.Response(number, headers=headers, stream=Piece())


def broken(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("All connection attempts failed")


def cut(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=Piece(CONTENT[:5], error=httpx.RemoteProtocolError("peer closed connection")))


def short(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=Piece(CONTENT[:5]), headers={"content-length": str(len(CONTENT))})


def asked(server: Server) -> Web:
    return Web(server, pause_s=0.0)


async def test_a_page_is_read_with_its_type_and_etag() -> None:
    page = await asked(Server(ok)).page(URL, "text/plain")

    assert (page.content, page.media_type, page.etag) == (CONTENT, "text/plain", '"1"')


async def test_a_page_that_did_not_change_is_not_sent_again() -> None:
    server = Server(ok, status(304))
    known = await asked(server).page(URL, "text/plain")

    assert await asked(server).page(URL, "text/plain", known) is known
    assert server.asked[1].headers["if-none-match"] == '"1"'


@pytest.mark.parametrize("fault", [broken, cut, status(500), status(503), status(429)])
async def test_a_fault_that_may_pass_is_tried_again(fault: Callable[[httpx.Request], httpx.Response]) -> None:
    server = Server(fault, fault, ok)

    assert (await asked(server).page(URL, "text/plain")).content == CONTENT
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (broken, "nothing answers at its address and port"),
        (cut, "ended the connection before everything had arrived"),
        (status(500), "status 500"),
    ],
)
async def test_a_server_that_stays_broken_is_given_up_and_named(
    fault: Callable[[httpx.Request], httpx.Response], says: str
) -> None:
    server = Server(fault)

    with pytest.raises(StepFailed, match=f"{URL} cannot be read: .*{says}.* It was tried 4 times") as failed:
        await asked(server).page(URL, "text/plain")

    assert len(server.asked) == web.TRIES
    assert "own container" in failed.value.remedy


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (status(404), "it does not exist"),
        (status(410), "it does not exist"),
        (status(401), "without credentials"),
        (status(403), "without credentials"),
        (status(418), "instead of 200"),
        (status(200, **{"content-encoding": "gzip"}), "is compressed"),
    ],
)
async def test_an_answer_that_stays_as_it_is_is_asked_for_once(
    fault: Callable[[httpx.Request], httpx.Response], says: str
) -> None:
    server = Server(fault)

    with pytest.raises(StepFailed, match=says) as failed:
        await asked(server).page(URL, "text/plain")

    assert len(server.asked) == 1
    assert isinstance(failed.value, NotThere) == ("exist" in says)


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (status(404), "Correct the address, or put there what it names."),
        (status(403), "Correct the address, or let the server give it without a login"),
        (status(200, **{"content-encoding": "gzip"}), "Check the address"),
        (status(302, location="http://192.0.2.1/a"), "Check the address"),
        (status(302, location="ftp://192.0.2.1/a"), "Write the address of a web server, https://"),
    ],
)
async def test_what_a_person_can_do_is_said(fault: Callable[[httpx.Request], httpx.Response], remedy: str) -> None:
    with pytest.raises(StepFailed) as failed:
        await asked(Server(fault)).page("http://192.0.2.1/a", "text/plain")

    assert failed.value.remedy.startswith(remedy)


async def test_a_server_that_wants_encryption_is_told_as_such() -> None:
    """Go's servers and nginx answer so. It said: check the address."""
    with pytest.raises(StepFailed, match=r"answered with status 400, instead of 200\.") as failed:
        await asked(Server(status(400))).page("http://registry.test:5000/v2/", "text/plain")

    assert failed.value.remedy.startswith("If the server answers by https")


async def test_a_page_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "MOST_OF_PAGE", 10)

    with pytest.raises(StepFailed, match="larger than"):
        await asked(Server(ok)).page(URL, "text/plain")


@pytest.mark.parametrize(
    ("url", "leads_to", "says"),
    [
        ("https://192.0.2.1/a", "http://192.0.2.1/a", "not encrypted"),
        ("https://8.8.8.8/a", "https://10.0.0.1/a", "not on the internet"),
        ("http://8.8.8.8/a", "http://169.254.169.254/latest", "not on the internet"),
        ("http://8.8.8.8/a", "http://[::1]:2375/", "not on the internet"),
        ("http://8.8.8.8/a", "file:///etc/passwd", "no web server"),
        ("http://8.8.8.8/a", "http://8.8.8.8/a", "on and on"),
        ("http://8.8.8.8/a", "http://[::1/", "Invalid URL in location"),
        ("http://8.8.8.8/a", "http://127.0.0.1:99999/", "no address"),
        ("http://8.8.8.8/a", "http://127.0.0.1:x/", "Invalid URL in location"),
    ],
)
async def test_a_redirect_leads_nowhere_it_must_not(url: str, leads_to: str, says: str) -> None:
    server = Server(status(302, location=leads_to))

    with pytest.raises(StepFailed, match=says):
        await asked(server).page(url, "text/plain")

    assert {str(one.url) for one in server.asked} == {url}


async def test_a_redirect_within_the_internet_or_within_a_private_network_is_followed() -> None:
    for url, leads_to in (("https://8.8.8.8/a", "https://1.1.1.1/b"), ("http://10.0.0.1/a", "/b")):
        server = Server(status(301, location=leads_to), ok)

        assert (await asked(server).page(url, "text/plain")).content == CONTENT


async def test_a_download_is_whole_or_not_there(tmp_path: Path) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()

    size = await asked(Server(short, cut, ok)).download(URL, tmp_path / "file", digest)

    assert size == len(CONTENT)
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "says"),
    [(ok, "is not the file that was announced"), (short, "sent 5 of 19"), (cut, "before everything had arrived")],
)
async def test_a_wrong_or_broken_download_leaves_nothing(
    tmp_path: Path, answer: Callable[[httpx.Request], httpx.Response], says: str
) -> None:
    with pytest.raises(StepFailed, match=says):
        await asked(Server(answer)).download(URL, tmp_path / "file", hashlib.sha256(b"other").hexdigest())

    assert list(tmp_path.iterdir()) == []


async def test_an_address_is_shown_without_its_credentials() -> None:
    with pytest.raises(StepFailed) as failed:
        await asked(Server(status(404))).page("http://name:secret@127.0.0.1/file?token=abc", "text/plain")

    assert "secret" not in str(failed.value)
    assert "abc" not in str(failed.value)


async def test_a_server_that_drips_has_its_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Drips(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"."
                await asyncio.sleep(0.001)

    monkeypatch.setattr(web, "PAGE_WITHIN_S", 0.05)

    with pytest.raises(StepFailed, match=r"was not read within 0\.05 s"):
        await asked(Server(lambda _request: httpx.Response(200, stream=Drips()))).page(URL, "text/plain")


@pytest.mark.parametrize("etag", [b"\xe9", b'"\xc3\xa9"', b'"' + b"x" * 5000 + b'"'])
async def test_an_etag_that_cannot_be_sent_back_is_not_kept(etag: bytes) -> None:
    server = Server(lambda _request: httpx.Response(200, stream=Piece(CONTENT), headers=[(b"etag", etag)]))
    known = await asked(server).page(URL, "text/plain")

    assert (await asked(server).page(URL, "text/plain", known)).content == CONTENT
    assert "if-none-match" not in server.asked[1].headers


async def test_that_nothing_changed_is_no_answer_to_the_first_question() -> None:
    with pytest.raises(StepFailed, match="nothing changed, which was not asked"):
        await asked(Server(status(304))).page(URL, "text/plain")


async def test_only_the_server_itself_says_what_credentials_it_wants() -> None:
    """Else the one that it leads to would name the address that they are sent to."""
    refused = status(401, **{"www-authenticate": 'Bearer realm="https://1.1.1.1/"'})
    with pytest.raises(Unauthorised) as own:
        await asked(Server(status(302, location="/b"), refused)).page("https://8.8.8.8/a", "text/plain")
    with pytest.raises(Unauthorised) as other:
        await asked(Server(status(302, location="https://1.1.1.1/"), refused)).page("https://8.8.8.8/a", "text/plain")

    assert own.value.challenge
    assert not other.value.challenge


async def test_a_download_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="cannot be downloaded to file: No such file or directory") as failed:
        await asked(Server(ok)).download(URL, tmp_path / "none" / "file", hashlib.sha256(CONTENT).hexdigest())

    assert "doctor" in failed.value.remedy


async def test_what_a_broken_answer_has_is_shown_without_control_characters() -> None:
    def garbled(_request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("illegal \x1b[31mheader " + "x" * 100_000)

    with pytest.raises(StepFailed, match="illegal header x") as failed:
        await asked(Server(garbled)).page(URL, "text/plain")

    assert len(str(failed.value)) < 1000


async def test_a_cancelled_download_writes_nothing_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that writes a piece is awaited: it would write into a file that is closed and removed."""
    writing, goes_on, ended = threading.Event(), threading.Event(), threading.Event()

    async def in_thread(work: Callable[..., object], *arguments: object) -> object:
        def slow() -> object:
            writing.set()
            goes_on.wait(20)
            found = work(*arguments)
            ended.set()
            return found

        return await asyncio.get_running_loop().run_in_executor(None, slow)

    monkeypatch.setattr(asyncio, "to_thread", in_thread)
    download = asyncio.create_task(
        asked(Server(ok)).download(URL, tmp_path / "file", hashlib.sha256(CONTENT).hexdigest())
    )
    while not writing.is_set():  # noqa: ASYNC110 (a thread sets it)
        await asyncio.sleep(0.001)

    download.cancel()
    await asyncio.sleep(0.01)
    goes_on.set()
    await asyncio.wait([download])

    assert download.cancelled()
    assert ended.is_set()
    assert list(tmp_path.iterdir()) == []
