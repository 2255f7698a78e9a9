"""The client against a server that answers as the orchestrator does, and as it never should."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from panel.client.answers import unreachable
from panel.client.client import Client
from panel.client.errors import ClientError, Failed, Invalid, NotFound, NotSignedIn, Refused, Unreachable
from panel.client.settings import PORT_FILE, configured_token, configured_url, is_near
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi, problem_answer

PAUSES_S = (0.0, 0.01)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        yield api


def client_of(api: FakeApi) -> Client:
    return Client(api.url, "co_secret", PAUSES_S)


async def take(client: Client, number: int, **options: Any) -> list[int]:
    """The ids of the first events of the stream."""
    ids: list[int] = []
    async with asyncio.timeout(5):
        async for event in client.events(**options):
            ids.append(event.id)
            if len(ids) == number:
                break
    return ids


# Answers


async def test_a_request_carries_the_token_and_gives_values(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps", {"apps": [answers.app(update=answers.update())]})

    async with client_of(api) as client:
        (shop,) = await client.apps()

    assert shop.active is not None
    assert shop.update is not None
    assert (shop.name, shop.active.version, shop.update.changes[1].scope) == ("shop", "v1.0.0", "till")
    assert api.asked[0].headers["authorization"] == "Bearer co_secret"


async def test_fields_of_a_newer_orchestrator_are_ignored_in_values_and_kept_in_the_answer(api: FakeApi) -> None:
    newer = answers.app(traffic={"rps": 12.5})
    api.gives("GET", "/v1/apps", {"apps": [newer], "more": True})

    async with client_of(api) as client:
        (shop,) = await client.apps()

    assert shop.name == "shop"
    assert client.answer == {"apps": [newer], "more": True}


async def test_seconds_of_a_pause_are_read_by_their_old_name_too(api: FakeApi) -> None:
    older = answers.deployment(held=1.5)
    del older["paused"]
    api.gives("GET", "/v1/deployments/d42", older)

    async with client_of(api) as client:
        assert (await client.deployment("d42")).paused == 1.5


async def test_pause_and_resume_have_routes_of_their_own(api: FakeApi) -> None:
    api.gives("POST", "/v1/apps/shop/pause", {"app": "shop", "paused": True})
    api.gives("POST", "/v1/apps/shop/resume", {"app": "shop", "paused": False})

    async with client_of(api) as client:
        await client.pause("shop", 12)
        await client.resume("shop")

    assert [(one.path, one.body) for one in api.asked] == [
        ("/v1/apps/shop/pause", {"limit": 12}),
        ("/v1/apps/shop/resume", None),
    ]


async def test_the_same_key_goes_with_a_deployment_that_is_asked_for_again(api: FakeApi) -> None:
    api.gives("POST", "/v1/apps/shop/deployments", answers.deployment(state="queued"), 202)

    async with client_of(api) as client:
        await client.deploy("shop", "main", "key-1", migrate=True)

    assert api.asked[0].headers["idempotency-key"] == "key-1"
    assert api.asked[0].body == {"ref": "main", "migrate": True}


# Errors


@pytest.mark.parametrize(
    ("status", "kind", "exit_code"),
    [
        (401, NotSignedIn, 4),
        (403, NotSignedIn, 4),
        (404, NotFound, 2),
        (409, Refused, 3),
        (422, Invalid, 2),
        (500, Failed, 1),
        (503, Refused, 3),
    ],
)
async def test_each_kind_of_problem_is_an_error_of_its_own(
    api: FakeApi, status: int, kind: type[ClientError], exit_code: int
) -> None:
    api.refuses("GET", "/v1/apps/shop", status, detail="Why it failed.", remedy="What to do.", log=["last line"])

    async with client_of(api) as client:
        with pytest.raises(kind) as raised:
            await client.app("shop")

    assert type(raised.value) is kind
    assert raised.value.exit_code == exit_code
    assert (raised.value.cause, raised.value.remedy) == ("Why it failed.", "What to do.")
    assert raised.value.log == ("last line",)
    assert str(raised.value) == "Why it failed. What to do."


async def test_a_value_that_the_api_does_not_accept_is_named(api: FakeApi) -> None:
    detail = [{"loc": ["body", "scope"], "msg": "Input should be 'read', 'deploy' or 'admin'", "type": "enum"}]
    api.refuses("POST", "/v1/tokens", 422, detail=detail)

    async with client_of(api) as client:
        with pytest.raises(Invalid, match="Invalid value for scope: Input should be 'read', 'deploy' or 'admin'"):
            await client.create_token("ci", "owner")


async def test_a_rollback_that_failed_is_a_record_and_not_an_error(api: FakeApi) -> None:
    api.gives("POST", "/v1/apps/shop/rollback", answers.failed(kind="rollback"), 502)

    async with client_of(api) as client:
        record = await client.rollback("shop")

    assert record.state == "failed"
    assert record.failure is not None
    assert record.failure.step == "verify"


@pytest.mark.parametrize("status", [200, 404, 502])
async def test_a_server_that_is_not_changeover_is_said_so(api: FakeApi, status: int) -> None:
    api.gives_text("GET", "/v1/apps", "<h1>It works!</h1>", status)

    async with client_of(api) as client:
        with pytest.raises(Unreachable, match=r"CHANGEOVER_URL"):
            await client.apps()


async def test_an_answer_of_another_shape_names_what_is_missing(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps", {"apps": [{"name": "shop"}]})

    async with client_of(api) as client:
        with pytest.raises(Unreachable, match=r"apps\.0\.url"):
            await client.apps()


async def test_an_orchestrator_that_is_not_there_is_said_so() -> None:
    with FakeApi() as gone:
        client = client_of(gone)

    async with client:
        with pytest.raises(Unreachable, match=f"Nothing answers at {client.url}") as asked:
            await client.apps()
        with pytest.raises(Unreachable, match=f"Nothing answers at {client.url}"):
            await take(client, 1)

    assert "make up" in asked.value.remedy


# The event stream


async def test_a_stream_that_breaks_off_goes_on_where_it_was(api: FakeApi) -> None:
    api.events = answers.Events().steps("d42", "prepare", "fetch", "build").all
    api.cuts = deque([2, 0, 3])

    async with client_of(api) as client:
        ids = await take(client, 6, after=0)

    assert ids == [1, 2, 3, 4, 5, 6]
    assert [one.query["after"] for one in api.asked] == ["0", "2", "2", "5"]


async def test_a_stream_from_now_on_begins_with_what_happened_lately(api: FakeApi) -> None:
    api.events = answers.Events().steps("d42", "prepare").all

    async with client_of(api) as client:
        await take(client, 2, recent=100)

    assert api.asked[0].query == {"recent": "100"}


async def test_an_orchestrator_that_starts_again_does_not_end_a_stream(api: FakeApi) -> None:
    api.events = answers.Events().steps("d42", "prepare", "fetch").all
    api.cuts = deque([2])

    async with client_of(api) as client:
        ids = []
        async with asyncio.timeout(5):
            async for event in client.events(0):
                ids.append(event.id)
                if event.id == 2:
                    api.stream_answers.extend([problem_answer(503, detail="Starting.")] * 5)
                if event.id == 4:
                    break

    assert ids == [1, 2, 3, 4]


async def test_a_stream_that_cannot_be_opened_gives_up_with_the_reason(api: FakeApi) -> None:
    api.stream_answers = deque([problem_answer(503, detail="The journal cannot be read.")] * 10)

    async with client_of(api) as client:
        with pytest.raises(Refused, match="The journal cannot be read"):
            await take(client, 1)

    assert len(api.asked) == len(PAUSES_S) + 1


async def test_a_token_that_was_revoked_ends_a_stream(api: FakeApi) -> None:
    api.events = answers.Events().steps("d42", "prepare").all
    api.cuts = deque([2])

    api.after_cuts = problem_answer(401, detail="The token is unknown or revoked.")

    async with client_of(api) as client:
        with pytest.raises(NotSignedIn, match="unknown or revoked"):
            await take(client, 3, after=0)


async def test_waiting_ends_with_the_event_that_decides(api: FakeApi) -> None:
    events = answers.Events().add("queued", "d42").steps("d42", "switch").add("live", "d42", colour="green")
    api.events = events.add("ended", "d42", state="live").all

    async with client_of(api) as client:
        kinds = [event.kind async for event in client.wait_until_decided("d42")]

    assert kinds == ["queued", "step", "step", "live"]


# The token


def test_the_token_is_in_the_environment_or_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHANGEOVER_TOKEN", raising=False)
    monkeypatch.delenv("CHANGEOVER_TOKEN_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert configured_token() == ""  # before the first start

    monkeypatch.setenv("CHANGEOVER_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(NotSignedIn, match=r"cannot be read: No such file or directory.*CHANGEOVER_TOKEN_FILE"):
        configured_token()

    (tmp_path / "token").write_text("co_from_file\n")
    assert configured_token() == "co_from_file"

    monkeypatch.setenv("CHANGEOVER_TOKEN", "co_from_environment")
    assert configured_token() == "co_from_environment"

    monkeypatch.delenv("CHANGEOVER_TOKEN")
    monkeypatch.setenv("CHANGEOVER_TOKEN_FILE", str(tmp_path))
    with pytest.raises(NotSignedIn, match="cannot be read"):
        configured_token()


# What cannot be sent


@pytest.mark.parametrize("token", ["co_ü", "co_\udcff", "co_a\nb", "co_a b", "co_\x1b[2J"])
def test_a_token_that_no_header_can_have_is_unknown(token: str) -> None:
    with pytest.raises(NotSignedIn, match="The token is unknown"):
        Client("http://127.0.0.1:1", token)


@pytest.mark.parametrize("browser", ["ü", "a\nb", "\udcff"])
async def test_an_address_of_a_browser_that_no_header_can_have_is_not_sent(api: FakeApi, browser: str) -> None:
    api.gives("GET", "/v1/apps", {"apps": []})

    async with Client(api.url, "co_secret", browser=browser) as client:
        await client.apps()

    assert "changeover-client" not in api.asked[0].headers


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda client: client.deploy("shop", "\udcff"), "a text is not UTF-8"),
        (lambda client: client.history("x" * 70_000), "too long"),
        (lambda client: client.pause("shop", float("nan")), "not JSON compliant"),
        (lambda client: client.audit(who="\udcff"), "a text is not UTF-8"),
        (lambda client: take(client, 1, deployment="\udcff"), "a text is not UTF-8"),
    ],
)
async def test_what_http_or_json_cannot_carry_is_refused_before_it_is_sent(
    api: FakeApi, ask: Callable[[Client], Awaitable[object]], says: str
) -> None:
    async with client_of(api) as client:
        with pytest.raises(Invalid, match=f"The request cannot be sent: .*{says}"):
            await ask(client)

    assert api.asked == []


@pytest.mark.parametrize("name", ["", ".", "..", "a?b", "shop#x", "a b", "ü", "\udcff", "a\nb", "a//b", "a/../b"])
async def test_a_name_that_is_none_leads_to_no_other_request(api: FakeApi, name: str) -> None:
    async with client_of(api) as client:
        for ask in (client.deploy(name), client.deployment(name), client.cancel(name), client.logs(name)):
            with pytest.raises(NotFound, match="There is no app, deployment or backup of this name"):
                await ask

    assert api.asked == []


@pytest.mark.parametrize(
    "url", ["localhost:8090", "http://", "http://[", "http://h:99999", "http://h:x", "ftp://h", "//h", "unix:///x"]
)
def test_what_is_no_address_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CHANGEOVER_URL", url)

    with pytest.raises(Invalid, match="CHANGEOVER_URL is not an address"):
        configured_url()


@pytest.mark.parametrize(
    ("written", "url"),
    [
        (None, "http://127.0.0.1:8090"),
        (b"9361\n", "http://127.0.0.1:9361"),
        (b"", "has no port in it"),
        (b"@example.org", "has no port in it"),
        (b"123456789", "has no port in it"),
        (b"\xff", "cannot be read: it is not text"),
    ],
)
def test_the_port_that_make_up_wrote_is_that_of_the_orchestrator_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: bytes | None, url: str
) -> None:
    monkeypatch.delenv("CHANGEOVER_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    if written is not None:
        PORT_FILE.parent.mkdir()
        PORT_FILE.write_bytes(written)

    if url.startswith("http"):
        assert configured_url() == url
    else:
        with pytest.raises(Invalid, match=url):
            configured_url()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (os.mkfifo, "has no port in it.*make up"),
        (lambda file: file.symlink_to("/dev/zero"), "has no port in it.*make up"),
        (lambda file: file.write_text("00080"), "http://127.0.0.1:80"),
        (lambda file: file.write_text("00018121"), "has no port in it.*make up"),
        (lambda file: file.symlink_to(file.name), "cannot be read: Too many levels.*as the owner of the file, or set"),
    ],
)
def test_a_port_file_that_came_with_the_folder_neither_stops_nor_fills_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make: Callable[[Path], object], says: str
) -> None:
    """A pipe was waited for without end, and a device read without end."""
    monkeypatch.delenv("CHANGEOVER_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    PORT_FILE.parent.mkdir()
    make(PORT_FILE)

    if says.startswith("http"):
        assert configured_url() == says
    else:
        with pytest.raises(Invalid, match=says):
            configured_url()


def test_an_address_in_the_environment_wins_over_the_port_that_make_up_wrote(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHANGEOVER_URL", "https://deploy.example")
    monkeypatch.chdir(tmp_path)
    PORT_FILE.parent.mkdir()
    PORT_FILE.write_text("9361")

    assert configured_url() == "https://deploy.example"


def test_a_token_file_that_is_not_text_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    monkeypatch.delenv("CHANGEOVER_TOKEN", raising=False)
    monkeypatch.setenv("CHANGEOVER_TOKEN_FILE", str(tmp_path / "token"))

    with pytest.raises(NotSignedIn, match="cannot be read: it is not text"):
        configured_token()


async def test_an_orchestrator_of_this_machine_is_not_asked_by_a_proxy_server(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not find it, and would get the token."""
    api.gives("GET", "/v1/apps", {"apps": []})
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async with client_of(api) as client:
        assert await client.apps() == ()


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:8090", True), ("http://localhost:8090", True), ("http://[::1]:8090", True),
        ("http://orchestrator:8090", True), ("http://api.localhost", True), ("https://changeover.example.com", False),
        ("http://192.0.2.7:8090", False),
    ],
)  # fmt: skip
def test_which_orchestrator_is_near(url: str, near: bool) -> None:
    assert is_near(url) is near


@pytest.mark.parametrize(
    ("error", "is_starting"),
    [
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), True),
        (httpx.ReadError("Connection reset by peer"), True),
        (httpx.ConnectError("Connection refused"), False),
    ],
)
def test_who_meets_an_orchestrator_that_is_starting_is_told_to_try_again(
    error: httpx.HTTPError, is_starting: bool
) -> None:
    """Docker takes connections for its container before it listens."""
    remedy = unreachable("http://127.0.0.1:8090", error).remedy

    assert ("It may be starting: try again" in remedy) is is_starting
    assert "tart the orchestrator with 'make up'" in remedy
