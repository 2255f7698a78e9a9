"""The panel's web server as its container runs it: readiness, sign-in, and sessions that outlive their process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.support import api_answers as answers
from tests.support.addresses import free_port
from tests.support.fakes.api import FakeApi
from tests.support.paths import ROOT

WAIT_S = 20
SERVICE_RESTART = 1012


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
            try:
                answer = httpx.get(f"{self.url}/readyz")
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            if answer.text in words:
                return answer
        raise AssertionError(f"/readyz did not answer with {words}")

    def session(self, name: str, **headers: str) -> ClientConnection:
        url = f"{self.url}/session?session={name}&width=120&height=40".replace("http", "ws", 1)
        return connect(url, additional_headers={"Cookie": "changeover_token=co_secret", **headers})


@contextmanager
def serving_apps() -> Iterator[FakeApi]:
    with FakeApi() as api:
        api.gives("GET", "/healthz", {"status": "ok"})
        api.gives("GET", "/v1/apps", {"apps": [answers.app("shop"), answers.app("till")]})
        api.gives("GET", "/v1/apps/shop", answers.app("shop"))
        yield api


@contextmanager
def started(api: FakeApi, database: str, version: str) -> Iterator[Web]:
    """A panel of this version, which is ended at the exit."""
    port = free_port()
    environment = os.environ | {
        "CHANGEOVER_URL": api.url,
        "CHANGEOVER_VERSION": version,
        "PANEL_DATABASE_URL": database,
        "PANEL_HOST": "127.0.0.1",
        "PANEL_PORT": str(port),
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


def until_painted(socket: ClientConnection, *words: str) -> bytes:
    """Read what the page's terminal gets until all words were in it."""
    deadline = time.monotonic() + WAIT_S
    painted = b""
    while not all(word.encode() in painted for word in words):
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
    page = httpx.get(f"{web.url}/", cookies=accepted.cookies)
    api.refuses("GET", "/v1/apps", 401, detail="The token is unknown or revoked.")
    unknown = httpx.post(f"{web.url}/sign-in", data=token)
    api.gives("GET", "/v1/apps", {"apps": []})

    assert (without.status_code, without.headers["location"]) == (303, "/sign-in")
    assert elsewhere.status_code == 403
    assert "the form was sent from another site" in elsewhere.text
    assert (accepted.status_code, accepted.headers["location"]) == (303, "/")
    cookie = accepted.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "textual-terminal" in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert unknown.status_code == 401
    assert "the token is unknown or revoked" in unknown.text


def test_a_session_from_another_site_is_refused(web: Web) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        web.session("s1", Origin="https://evil.example")


def read_until_closed(socket: ClientConnection) -> None:
    while True:
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
                until_painted(socket, "UPDATING SHOP", "Resumed after update to v1.2.4")

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == SERVICE_RESTART
