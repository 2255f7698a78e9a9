"""What a stranger sends to the panel's web server is answered, and never with a status of 5xx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import httpx
import pytest

from panel.web import routes
from panel.web.server import PanelServer
from panel.web.sign_in_form import FREE_TRIES
from tests.support.fakes.api import FakeApi


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        api.refuses("POST", "/v1/sessions", 401, detail="No token was given.")
        yield api


@pytest.fixture
async def web(api: FakeApi) -> AsyncIterator[httpx.AsyncClient]:
    no_store = cast("Any", None)  # sign-in does not use the panel's database
    app = routes.create(PanelServer(api.url, no_store))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://panel.test") as client:
        yield client


@pytest.mark.parametrize("token", ["co_%C3%BC", "co_%FF", "co_a%0Ab", "co_%00", "co_%1B%5B2J", "%E2%80%AE"])
async def test_a_token_of_any_characters_is_unknown(web: httpx.AsyncClient, token: str) -> None:
    answer = await web.post("/sign-in", content=f"token={token}")

    assert answer.status_code == 401
    assert "the token is unknown" in answer.text


async def test_nobody_has_to_wait_because_the_orchestrator_was_away(api: FakeApi, web: httpx.AsyncClient) -> None:
    api.refuses("POST", "/v1/sessions", 503, detail="The orchestrator is starting.")
    away = [(await web.post("/sign-in", content="token=co_x")).status_code for _ in range(3 * FREE_TRIES)]
    api.refuses("POST", "/v1/sessions", 401, detail="The token is unknown.")
    guessed = [(await web.post("/sign-in", content="token=co_x")).status_code for _ in range(FREE_TRIES + 1)]

    assert away == [503] * 3 * FREE_TRIES
    assert guessed == [401] * FREE_TRIES + [429]


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://]", "null", "//[", "http://panel.test.evil"])
async def test_an_origin_that_is_no_address_is_another_site(web: httpx.AsyncClient, origin: str) -> None:
    assert (await web.post("/sign-in", content="token=co_x", headers={"Origin": origin})).status_code == 403


@pytest.mark.parametrize("secret", [b"cs_\xc3\xbc", b"cs_\xff", b"cs_a b", b"cs_\x7f"])
async def test_a_cookie_of_any_bytes_is_no_session(web: httpx.AsyncClient, secret: bytes) -> None:
    answer = await web.get("/", headers={b"Cookie": b"changeover_session=" + secret})

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("before", [b"\x85", b"\xa0", b"\x1c", b"\x0b", b"\xe2\x80\x80", b"x"])
@pytest.mark.parametrize("after", [b"", b"\x85", b"\xa0"])
@pytest.mark.parametrize("name", [b"changeover_session", b"__Host-changeover_session"])
async def test_a_cookie_of_another_name_is_no_session(
    api: FakeApi, web: httpx.AsyncClient, before: bytes, after: bytes, name: bytes
) -> None:
    """Every host of the same domain can set such a one, which browsers keep although its name seems to be ours."""
    api.gives("GET", "/v1/sessions/current", {"token": "ci", "scope": "admin", "apps": None, "expires_at": None})
    proto = b"https" if name.startswith(b"__Host-") else b"http"

    def sent(named: bytes) -> dict[bytes, bytes]:
        return {b"Cookie": b"theirs=1; " + named + b"=cs_x", b"X-Forwarded-Proto": proto}

    assert (await web.get("/", headers=sent(before + name + after))).headers.get("location") == "/sign-in"
    assert (await web.get("/", headers=sent(name))).status_code == 200


@pytest.mark.parametrize("address", [b"\xff", b"\xc3\xbc", b"a b", b"::1%\x7f"])
async def test_an_address_of_any_bytes_signs_in_nobody(web: httpx.AsyncClient, address: bytes) -> None:
    answer = await web.post("/sign-in", content="token=", headers={b"X-Forwarded-For": address})

    assert answer.status_code == 401
