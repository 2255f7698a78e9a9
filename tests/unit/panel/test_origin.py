"""What changes something in the panel, or opens a socket, is refused when another site has sent it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.datastructures import Headers

from panel.web import routes
from panel.web.origin import is_same_origin
from panel.web.server import PanelServer

HTTP, HTTPS = {"host": "panel.test:8080"}, {"host": "panel.test", "x-forwarded-proto": "https"}


@pytest.mark.parametrize(
    ("sent", "accepted"),
    [
        (HTTP, True),
        (HTTP | {"origin": "http://panel.test:8080"}, True),
        (HTTP | {"origin": "https://panel.test:8080"}, False),
        (HTTP | {"origin": "http://panel.test"}, False),
        (HTTP | {"origin": "http://panel.test:8081"}, False),
        (HTTP | {"origin": "null"}, False),
        (HTTP | {"origin": ""}, False),
        (HTTP | {"origin": "http://panel.test:8080", "sec-fetch-site": "same-origin"}, True),
        (HTTP | {"origin": "http://panel.test:8080", "sec-fetch-site": "same-site"}, False),
        (HTTP | {"origin": "http://panel.test:8080", "sec-fetch-site": "cross-site"}, False),
        (HTTP | {"origin": "http://panel.test:8080", "sec-fetch-site": "of-tomorrow"}, False),
        (HTTP | {"sec-fetch-site": "cross-site"}, False),
        (HTTP | {"sec-fetch-site": "none"}, True),
        # Behind somebody's own TLS server: the browser has compared the schemes.
        (HTTP | {"origin": "https://panel.test:8080", "sec-fetch-site": "same-origin"}, True),
        (HTTPS, True),
        (HTTPS | {"origin": "https://panel.test"}, True),
        (HTTPS | {"origin": "http://panel.test"}, False),
        (HTTPS | {"origin": "http://panel.test", "sec-fetch-site": "same-origin"}, False),
    ],
)
def test_scheme_host_and_port_are_compared_and_the_browser_is_believed(sent: dict[str, str], accepted: bool) -> None:
    assert is_same_origin(Headers(sent)) is accepted


@pytest.mark.parametrize("name", ["origin", "sec-fetch-site"])
def test_of_several_headers_each_has_to_be_of_this_site(name: str) -> None:
    mine, theirs = {
        "origin": ("http://panel.test:8080", "http://evil.test"),
        "sec-fetch-site": ("same-origin", "cross-site"),
    }[name]
    raw = [(b"host", b"panel.test:8080"), (name.encode(), mine.encode()), (name.encode(), theirs.encode())]

    assert not is_same_origin(Headers(raw=raw))
    assert not is_same_origin(Headers(raw=[raw[0], raw[2], raw[1]]))


@pytest.mark.parametrize(
    "sent", [{"Origin": "https://panel.test"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
async def test_each_route_that_changes_something_asks_for_it(sent: dict[str, str]) -> None:
    app = routes.create(PanelServer("http://127.0.0.1:1", cast("Any", None)))
    changing = [
        one for one in app.routes if isinstance(one, APIRoute) and (one.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://panel.test") as client:
        answers = {
            f"{method} {route.path}": (await client.request(method, route.path, headers=sent)).status_code
            for route in changing
            for method in route.methods or ()
        }

    assert answers == dict.fromkeys(["POST /sign-in", "POST /sign-out"], 403)
    sockets = [one.path for one in app.routes if isinstance(one, APIWebSocketRoute)]
    assert sockets == ["/session"]
    for path in sockets:
        assert await answer_to_a_socket(app, path, {"Host": "panel.test"} | sent) == {
            "type": "websocket.close",
            "code": 1008,
        }


async def answer_to_a_socket(app: FastAPI, path: str, sent: dict[str, str]) -> dict[str, object]:
    """What the server's side of a WebSocket is told first, when a client asks for one."""
    headers = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
    scope = {"type": "websocket", "path": path, "query_string": b"session=s1", "headers": headers, "app": app}
    told: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append({name: message[name] for name in ("type", "code") if name in message})

    await app(scope, receive, send)
    return told[0]
