"""The panel's web server as its container runs it: readiness, sign-in, and sessions that outlive their process."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pyte
import pytest
from playwright.sync_api import Page
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.support import api_answers as answers
from tests.support.addresses import free_port
from tests.support.browser import signed_in
from tests.support.fakes.api import FakeApi
from tests.support.paths import ROOT
from tests.support.user import NO_TLS

WAIT_S = 60
SERVICE_RESTART, SIGN_IN_AGAIN, FAILED, TOO_MANY_PAGES, MALFORMED = 1012, 4401, 4411, 4429, 1003
SESSION = {"token": "ann", "scope": "deploy", "apps": None, "expires_at": "2127-01-01T00:00:00Z"}


@dataclass(frozen=True)
class Web:
    """A running `python -m panel.web`."""

    url: str
    process: subprocess.Popen[bytes]

    def until_readyz(self, *words: str) -> httpx.Response:
        """Wait until /readyz answers with one of these texts."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None
            with suppress(httpx.TransportError):
                answer = httpx.get(f"{self.url}/readyz", verify=NO_TLS)
                if answer.text in words:
                    return answer
            time.sleep(0.02)
        raise AssertionError(f"/readyz did not answer with {words}")

    def session(
        self, name: str, *, size: tuple[int, int] = (120, 40), zone: str = "", **headers: str
    ) -> ClientConnection:
        """The connection of a page, with a cookie of a session if `headers` has no other one."""
        query = urlencode({"session": name, "width": size[0], "height": size[1], "zone": zone})
        url = f"{self.url}/session?{query}".replace("http", "ws", 1)
        return connect(url, additional_headers={"Cookie": "changeover_session=cs_secret", **headers})

    @property
    def processes(self) -> set[int]:
        """The processes of the panel's app that run: the template has forked them."""
        return {page for template in children(self.process.pid) for page in children(template)}

    def until_processes(self, count: int) -> None:
        deadline = time.monotonic() + WAIT_S
        while len(self.processes) != count:
            assert time.monotonic() < deadline, f"{len(self.processes)} processes run, not {count}"
            time.sleep(0.05)


def children(process: int) -> set[int]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return {int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()}
    return set()


@contextmanager
def serving_apps() -> Iterator[FakeApi]:
    with FakeApi() as api:
        api.gives("GET", "/healthz", {"status": "ok"})
        shop = answers.app("shop", standby=answers.slot("v0.9.0", "green"))
        api.gives("GET", "/v1/apps", {"apps": [shop, answers.app("till")]})
        api.gives("GET", "/v1/apps/shop", answers.app("shop"))
        api.gives("POST", "/v1/sessions", SESSION | {"session": "cs_secret"}, 201)
        api.gives("GET", "/v1/sessions/current", SESSION)
        api.gives("DELETE", "/v1/sessions/current", {"ended": "ann"})
        yield api


@contextmanager
def started(api: FakeApi, database: str, version: str, **more: str) -> Iterator[Web]:
    """A panel of this version, which is ended at the exit."""
    port = free_port()
    environment = os.environ | {
        "CHANGEOVER_URL": api.url,
        "CHANGEOVER_VERSION": version,
        "PANEL_DATABASE_URL": database,
        "PANEL_HOST": "127.0.0.1",
        "PANEL_PORT": str(port),
        **more,
    }
    process = subprocess.Popen([sys.executable, "-m", "panel.web"], cwd=ROOT, env=environment)
    try:
        yield Web(f"http://127.0.0.1:{port}", process)
    finally:
        process.kill()
        process.wait()


def migrated(folder: Path) -> str:
    """A database of the panel at the newest revision."""
    url = f"sqlite:///{folder / 'panel.db'}"
    migrate(url, "upgrade")
    return url


def migrate(url: str, *action: str) -> None:
    command = [sys.executable, "-m", "migrations", "panel", *action]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PANEL_DATABASE_URL": url}, check=True, capture_output=True)


@pytest.fixture(scope="module")
def api() -> Iterator[FakeApi]:
    with serving_apps() as api:
        yield api


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return migrated(tmp_path_factory.mktemp("panel"))


@pytest.fixture(scope="module")
def web(api: FakeApi, database: str) -> Iterator[Web]:
    """One panel for the tests that leave it as it was."""
    with started(api, database, "v1.2.3") as web:
        web.until_readyz("ready")
        yield web


def without_colours(painted: bytes) -> bytes:
    """What is painted over the edges of other widgets has its colour and place set anew in the middle of its words."""
    return re.sub(rb"\x1b\[[0-9;]*[mH]", b"", painted)


def until_painted(socket: ClientConnection, *words: str) -> bytes:
    """Read what the page's terminal gets until all words were in it."""
    deadline = time.monotonic() + WAIT_S
    painted = b""
    while not all(word.encode() in without_colours(painted) for word in words):
        message = socket.recv(timeout=max(0.0, deadline - time.monotonic()))
        painted += message if isinstance(message, bytes) else message.encode()
    return painted


def press(socket: ClientConnection, key: str) -> None:
    socket.send(json.dumps(["stdin", key]))


def test_the_panel_is_ready_once_its_first_screen_is_painted_and_its_schema_is_the_newest(
    web: Web, database: str
) -> None:
    ready = web.until_readyz("ready")

    migrate(database, "downgrade", "base")
    behind = web.until_readyz("the panel's database is not at the newest schema revision")
    migrate(database, "upgrade")

    assert ready.status_code == 200
    assert behind.status_code == 503


def test_signing_in_needs_a_token_that_the_orchestrator_accepts_and_this_site_as_origin(api: FakeApi, web: Web) -> None:
    token = {"token": "co_secret"}

    without = httpx.get(f"{web.url}/")
    elsewhere = httpx.post(f"{web.url}/sign-in", data=token, headers={"Origin": "https://evil.example"})
    accepted = httpx.post(f"{web.url}/sign-in", data=token, headers={"Origin": web.url})
    asked = api.requests("POST", "/v1/sessions")[-1]
    page = httpx.get(f"{web.url}/", cookies={"changeover_session": "cs_secret"})
    api.refuses("POST", "/v1/sessions", 401, detail="The token is unknown or revoked.")
    unknown = httpx.post(f"{web.url}/sign-in", data=token)
    api.gives("POST", "/v1/sessions", SESSION | {"session": "cs_secret"}, 201)

    assert (without.status_code, without.headers["location"]) == (303, "/sign-in")
    assert elsewhere.status_code == 403
    assert "the form was sent from another site" in elsewhere.text
    assert (accepted.status_code, accepted.headers["location"]) == (303, "/")
    assert asked.headers["authorization"] == "Bearer co_secret"
    assert asked.headers["changeover-client"] == "127.0.0.1"
    assert "textual-terminal" in page.text
    assert "Signed in with token ann (deploy)" in page.text
    assert "Sign out" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert unknown.status_code == 401
    assert "the token is unknown or revoked" in unknown.text


def test_a_page_whose_process_is_killed_is_told_so(web: Web) -> None:
    web.until_processes(1)
    (its,) = web.processes
    with web.session("killed") as socket:
        until_painted(socket, "shop", "till")
        os.kill(its, signal.SIGKILL)
        with pytest.raises(ConnectionClosed) as closed:
            list(socket)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == FAILED


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    """Name -> the whole header, of each cookie that an answer sets."""
    return {one.partition("=")[0]: one.lower() for one in answer.headers.get_list("set-cookie")}


@pytest.mark.parametrize(("scheme", "name"), [("http", "changeover_session"), ("https", "__Host-changeover_session")])
def test_the_cookie_is_a_session_of_its_own_that_only_this_site_gets(web: Web, scheme: str, name: str) -> None:
    headers = {"Origin": web.url.replace("http", scheme, 1), "X-Forwarded-Proto": scheme}

    given = cookies_of(httpx.post(f"{web.url}/sign-in", data={"token": "co_secret"}, headers=headers))
    other = {"http": "__Host-changeover_session", "https": "changeover_session"}[scheme]
    by_name = {
        one: httpx.get(f"{web.url}/", headers=headers | {"Cookie": f"{one}=cs_secret"}).status_code
        for one in (name, other, "changeover_token")
    }

    assert set(given) == {name, "changeover_token"}
    assert given[name].startswith(f"{name.lower()}=cs_secret;")
    assert "co_secret" not in str(given)
    for attribute in ("httponly", "samesite=strict", "path=/"):
        assert attribute in given[name]
    assert ("secure" in given[name]) is (scheme == "https")
    assert "domain" not in given[name]
    assert "max-age=0" in given["changeover_token"]
    assert by_name == {name: 200, other: 303, "changeover_token": 303}


def test_signing_out_ends_the_session_and_its_pages_at_once(api: FakeApi, web: Web) -> None:
    cookie = {"Cookie": "changeover_session=cs_secret"}
    ended = len(api.requests("DELETE", "/v1/sessions/current"))
    elsewhere = httpx.post(f"{web.url}/sign-out", headers=cookie | {"Origin": "https://evil.example"})
    ended_elsewhere = len(api.requests("DELETE", "/v1/sessions/current")) - ended

    with web.session("s1") as socket, web.session("s2", Cookie="changeover_session=cs_another") as another:
        until_painted(socket, "shop")
        until_painted(another, "shop")
        answer = httpx.post(f"{web.url}/sign-out", headers=cookie | {"Origin": web.url})
        code = closed_with(socket)
        another.ping().wait(WAIT_S)
    page = httpx.get(f"{web.url}{answer.headers['location']}")

    assert (elsewhere.status_code, ended_elsewhere) == (403, 0)
    assert code == SIGN_IN_AGAIN
    assert api.requests("DELETE", "/v1/sessions/current")[-1].headers["authorization"] == "Bearer cs_secret"
    assert all("max-age=0" in header for header in cookies_of(answer).values())
    assert "You are signed out." in page.text


def test_a_person_signs_out_by_the_button(api: FakeApi, web: Web, tmp_path: Path) -> None:
    with signed_in(web.url, "co_secret", tmp_path) as terminal:
        terminal.wait_for("shop")
        page = terminal.page
        signed_in_as = page.inner_text("#who")
        page.click("text=Sign out")
        page.wait_for_selector("text=You are signed out.")
        cookies = page.context.cookies()
        page.goto(f"{web.url}/")

        assert terminal.requests_elsewhere == []
        assert "ann (deploy)" in signed_in_as
        assert cookies == []
        assert page.url == f"{web.url}/sign-in"


def show(page: Page, *, hidden: bool) -> None:
    """What a browser does when its person goes to another tab, or comes back."""
    page.evaluate(f"Object.defineProperty(document, 'hidden', {{value: {str(hidden).lower()}, configurable: true}})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_tab_that_nobody_looks_at_gives_its_process_back_and_goes_on_when_it_is_shown(
    web: Web, tmp_path: Path
) -> None:
    with signed_in(web.url, "co_secret", tmp_path) as terminal:
        terminal.wait_for("shop")
        web.until_processes(2)
        terminal.page.clock.install()
        show(terminal.page, hidden=True)
        terminal.page.clock.fast_forward("09:00")
        show(terminal.page, hidden=False)
        show(terminal.page, hidden=True)
        terminal.page.clock.fast_forward("09:00")
        looked_at_meanwhile = len(web.processes)
        terminal.page.clock.fast_forward("02:00")
        web.until_processes(1)
        sockets = terminal.sockets
        show(terminal.page, hidden=False)
        web.until_processes(2)
        terminal.page.title()  # so that what the browser told meanwhile is heard

        assert looked_at_meanwhile == 2
        assert (sockets, terminal.sockets) == (1, 2)


def closed_with(socket: ClientConnection) -> int:
    """Read until the connection is closed. Returns the code."""
    with pytest.raises(ConnectionClosed) as closed:
        read_until_closed(socket)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_a_session_that_is_over_opens_no_page_and_an_open_one_is_closed(database: str) -> None:
    with serving_apps() as api, started(api, database, "v1.2.3") as web:
        web.until_readyz("ready")
        with web.session("s1") as socket:
            until_painted(socket, "shop")
            # The stream of the page's process ends, and is refused when it is opened again.
            api.refuses("GET", "/v1/apps", 401, detail="The session of the panel has ended.")
            api.refuses("GET", "/v1/sessions/current", 401, detail="The session of the panel has ended.")
            code = closed_with(socket)
        with web.session("s2") as socket:
            code_of_new = closed_with(socket)
        page = httpx.get(f"{web.url}/", cookies={"changeover_session": "cs_secret"})

    assert (code, code_of_new) == (SIGN_IN_AGAIN, SIGN_IN_AGAIN)
    assert page.headers["location"] == "/sign-in"


def test_pages_are_limited_and_no_process_stays_when_they_are_closed(database: str) -> None:
    limits = {"PANEL_MAX_PAGES": "3", "PANEL_MAX_PAGES_OF_TOKEN": "2"}
    with serving_apps() as api, started(api, database, "v1.2.3", **limits) as web:
        web.until_readyz("ready")
        web.until_processes(1)
        with ExitStack() as pages:
            # All at once: one takes the prewarmed process, the others start one.
            sockets = [pages.enter_context(web.session(f"s{number}")) for number in range(4)]
            codes = [closed_with(socket) for socket in sockets[2:]]
            api.gives("GET", "/v1/sessions/current", SESSION | {"token": "bob"})
            until_painted(pages.enter_context(web.session("bob")), "shop")
            full = closed_with(pages.enter_context(web.session("full")))
        web.until_processes(1)
        with web.session("again") as again:
            until_painted(again, "shop")

    assert codes == [TOO_MANY_PAGES] * 2
    assert full == TOO_MANY_PAGES


@pytest.mark.parametrize(
    "message", ["", "x", "[]", "{}", '["resize", {}]', '["resize", {"width": 1e999, "height": 1}]', "[" * 100_000]
)
def test_a_message_that_the_page_does_not_send_closes_it(web: Web, message: str) -> None:
    with web.session("s1") as socket:
        until_painted(socket, "shop")
        socket.send(message)
        assert closed_with(socket) == MALFORMED


def test_a_page_of_any_size_gets_a_screen_of_limited_size(web: Web) -> None:
    with web.session("s1", size=(5000, 5000)) as socket:
        until_painted(socket, "shop")
        socket.send(json.dumps(["resize", {"width": 5000, "height": 5000}]))
        press(socket, "d")
        painted = until_painted(socket, "No update is known")

    columns = [int(found) for found in re.findall(rb"\x1b\[\d+;(\d+)H", painted)]
    rows = [int(found) for found in re.findall(rb"\x1b\[(\d+);\d+H", painted)]
    assert max(columns, default=1) <= 500
    assert max(rows, default=1) <= 200


def test_a_form_that_is_too_large_is_refused_before_it_is_read(web: Web) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b"token="
        while sent < 50_000_000:
            sent += 65536
            yield b"x" * 65536

    answer = httpx.post(f"{web.url}/sign-in", content=body(), headers={"X-Forwarded-For": "198.51.100.1"})

    assert answer.status_code == 413
    assert "the form is too large" in answer.text


def test_guessing_is_slowed_by_address(api: FakeApi, web: Web) -> None:
    def tried(address: str, token: str = "co_guess") -> int:
        return httpx.post(f"{web.url}/sign-in", data={"token": token}, headers={"X-Forwarded-For": address}).status_code

    api.refuses("POST", "/v1/sessions", 401, detail="The token is unknown or revoked.")
    guesses = [tried("198.51.100.2") for _ in range(9)]
    asked = len(api.requests("POST", "/v1/sessions"))
    more = [tried("198.51.100.2") for _ in range(3)]
    asked_more = len(api.requests("POST", "/v1/sessions"))
    api.gives("POST", "/v1/sessions", SESSION | {"session": "cs_secret"}, 201)
    elsewhere = tried("198.51.100.3", "co_secret")

    assert guesses[:5] == [401] * 5
    assert 429 in guesses[5:] + more
    assert asked_more - asked < 3
    assert elsewhere == 303


def test_the_script_of_an_older_release_is_not_taken_from_the_browsers_cache(web: Web) -> None:
    first = httpx.get(f"{web.url}/assets/persistent-socket.js")
    again = httpx.get(f"{web.url}/assets/persistent-socket.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")


def test_a_session_from_another_site_is_refused(web: Web) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        web.session("s1", Origin="https://evil.example")


@pytest.mark.parametrize(
    ("cookie", "address"), [("", "198.51.100.4"), ("changeover_session=cs_guessed", "198.51.100.5")]
)
def test_strangers_hold_no_connection_that_people_need(api: FakeApi, web: Web, cookie: str, address: str) -> None:
    """Each got a WebSocket, and held it for ten seconds by not answering its end: a thousand held all there are."""
    if cookie:
        api.refuses("GET", "/v1/sessions/current", 401, detail="The token is unknown.")
    head = "GET /session?session=s1 HTTP/1.1\r\nHost: panel\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += f"X-Forwarded-For: {address}\r\nCookie: {cookie}\r\n"
    head += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    parts = urlsplit(web.url)
    with ExitStack() as held:
        sockets = [
            held.enter_context(socket.create_connection((parts.hostname, parts.port), WAIT_S)) for _ in range(60)
        ]
        for one in sockets:
            one.sendall(head.encode())
        statuses = Counter(one.recv(12).split()[1] for one in sockets)
        api.gives("GET", "/v1/sessions/current", SESSION)
        with web.session("a-person") as page:
            until_painted(page, "shop")

    assert statuses == {b"101": 4, b"403": 56}, "some are told to sign in"


def read_until_closed(socket: ClientConnection) -> None:
    deadline = time.monotonic() + 3 * WAIT_S
    while True:
        assert time.monotonic() < deadline, "the page's connection was not closed"
        socket.recv(timeout=WAIT_S)


def test_a_session_is_saved_when_the_panel_drains_and_goes_on_in_the_next_release(tmp_path: Path) -> None:
    database = migrated(tmp_path)
    with serving_apps() as api:
        shop = answers.app("shop", deployment={"id": "d42", "state": "running", "step": "build"})
        api.gives("GET", "/v1/apps", {"apps": [shop]})
        api.events = answers.Events().steps("d42", "prepare").add("step", "d42", step="build", state="running").all

        with started(api, database, "v1.2.3") as older:
            older.until_readyz("ready")
            with older.session("s1") as socket:
                until_painted(socket, "shop", "v1.0.0")
                press(socket, "p")
                until_painted(socket, "UPDATING SHOP")
                older.process.send_signal(signal.SIGUSR1)
                with pytest.raises(ConnectionClosed) as closed:
                    read_until_closed(socket)
        with started(api, database, "v1.2.4") as newer:
            newer.until_readyz("ready")
            with newer.session("s1") as socket:
                until_painted(socket, "UPDATING SHOP", "Resumed in v1.2.4; the session was begun in v1.2.3")

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == SERVICE_RESTART


def test_no_picture_that_a_page_gets_at_its_start_lacks_apps_or_events(api: FakeApi, web: Web) -> None:
    """The page kept its last picture until the new process painted headings without a row, at each update."""
    api.events[:] = answers.Events().add("failed", "d9", step="verify", cause="it was too late").all
    screen = pyte.Screen(120, 40)
    terminal = pyte.ByteStream(screen)
    lacking = []
    with web.session("first-picture") as socket:
        deadline = time.monotonic() + WAIT_S
        while not (shown := "\n".join(screen.display)).strip() or "too late" not in shown:
            assert time.monotonic() < deadline
            message = socket.recv(timeout=WAIT_S)
            assert isinstance(message, bytes)
            terminal.feed(message.replace(b"\x1b[?2026$p", b""))
            painted = "\n".join(screen.display)
            if painted.strip() and not all(word in painted for word in ("shop", "till", "too late")):
                lacking.append(painted)
    api.events.clear()

    assert lacking == []


def test_a_page_is_told_of_the_next_release_and_moves_when_its_person_wants_it(tmp_path: Path) -> None:
    database = migrated(tmp_path)
    with serving_apps() as api:
        records = [
            answers.deployment("d9", app="panel", version="v1.3.0", slot="active", live_at=answers.before(seconds=1)),
            answers.deployment("d8", app="panel", version="v1.2.3", slot="standby", live_at=answers.before(hours=1)),
        ]
        api.gives("GET", "/v1/apps/panel/deployments", {"deployments": records, "before": None})
        with started(api, database, "v1.2.3", CHANGEOVER_DEPLOYMENT="d8") as web:
            web.until_readyz("ready")
            with web.session("goes") as goes, web.session("stays") as stays:
                for page in (goes, stays):
                    until_painted(page, "shop", "v1.0.0")
                web.process.send_signal(signal.SIGUSR1)
                for page in (goes, stays):
                    until_painted(page, "Successfully updated to v1.3.0", "Moving to v1.3.0")
                press(stays, "\x1b")
                until_painted(stays, "You stay with v1.2.3")
                press(goes, "\r")
                with pytest.raises(ConnectionClosed) as moved:
                    read_until_closed(goes)
                press(stays, "\x12")  # Ctrl+R
                with pytest.raises(ConnectionClosed) as moved_later:
                    read_until_closed(stays)

    for closed in (moved, moved_later):
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == SERVICE_RESTART


def test_an_answer_of_the_pages_terminal_presses_no_key_and_a_rollback_asks_first(api: FakeApi, web: Web) -> None:
    """A failure of an app had a question to the terminal in it; the answer's `b`, for blue, rolled the panel back."""
    api.gives("POST", "/v1/apps/shop/rollback", answers.deployment(kind="rollback"))
    evil = answers.Events().add("failed", "d9", step="verify", cause="status 500: \x1b]11;?\x1b\\\x9b6nevil [bold]").all
    api.events[:] = evil
    with web.session("terminal-answers") as socket:
        painted = until_painted(socket, "shop", "evil [bold]")
        press(socket, "\x1b]11;rgb:bbbb/bbbb/bbbb\x1b\\")
        press(socket, "\x1b[?1;2c")
        press(socket, "d")
        until_painted(socket, "No update is known")  # not under a question that the answer has opened
        press(socket, "b")
        until_painted(socket, "Roll shop back?")
        press(socket, "\r")
        press(socket, "b")
        until_painted(socket, "Roll shop back?")
        asked = len(api.requests("POST", "/v1/apps/shop/rollback"))
        press(socket, "y")
        until_painted(socket, "Rolled back")
    api.events.clear()

    assert b"\x1b]11;?" not in painted
    assert b"\x9b6n" not in painted
    assert asked == 0
    assert len(api.requests("POST", "/v1/apps/shop/rollback")) == 1
