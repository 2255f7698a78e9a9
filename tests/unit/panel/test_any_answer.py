"""Whatever answers at the address: nothing but a ClientError leaves the client."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from panel.client.client import Client
from panel.client.errors import ClientError, Unreachable
from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.hostile import hostile_text

Ask = Callable[[Client], Any]


async def pieces() -> AsyncIterator[bytes]:
    yield b"archive"


ASKS: dict[str, Ask] = {
    "status": lambda client: client.status(),
    "app": lambda client: client.app("shop"),
    "logs": lambda client: client.logs("shop"),
    "pause": lambda client: client.pause("shop", 1),
    "leftover": lambda client: client.leftover("shop"),
    "migrations": lambda client: client.migrations("shop"),
    "validate": lambda client: client.validate("a: 1", "a.yaml"),
    "doctor": lambda client: client.doctor(),
    "deploy": lambda client: client.deploy("shop"),
    "upload": lambda client: client.upload("shop", pieces(), None),
    "plan": lambda client: client.plan("shop"),
    "rollback": lambda client: client.rollback("shop"),
    "deployment": lambda client: client.deployment("d42"),
    "history": lambda client: client.history("shop"),
    "events so far": lambda client: client.events_so_far("d42"),
    "check": lambda client: client.check("shop"),
    "versions": lambda client: client.versions("shop"),
    "backups": lambda client: client.backups("shop"),
    "restore": lambda client: client.restore_backup("shop", "b1"),
    "extract": lambda client: client.extract_backup("shop", "b1", "config"),
    "tokens": lambda client: client.tokens(),
    "audit": lambda client: client.audit(),
    "session": lambda client: client.session(),
    "pushes": lambda client: client.push_checks("shop"),
}
STREAMS: dict[str, Ask] = {
    "events": lambda client: client.events(0),
    "until decided": lambda client: client.wait_until_decided("d42"),
    "log": lambda client: client.follow_logs("shop", 10),
    "run": lambda client: client.one_off("shop", "run", ["true"], {}, 1, in_bytes=True),
}
GOOD: list[Any] = [
    {"apps": [answers.app(update=answers.update())]}, answers.app(), answers.deployment(), answers.failed(),
    answers.update(), {"deployments": [answers.deployment()]}, *answers.Events().steps("d42", "build").all,
    {"line": "a"}, {"output": "YQ=="}, {"exit_code": 0}, {"problem": {"kind": "Refused", "detail": "no"}},
    {"detail": [{"loc": ["body", "ref"], "msg": "wrong"}]}, {"detail": "Why.", "remedy": "What.", "log": ["a"]},
]  # fmt: skip
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), hostile_text(3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(hostile_text(2), inner, max_size=3)),
    max_leaves=5,
)


def fields_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of each value in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in fields_of(one, (*path, name)))]


@st.composite
def of_wrong_types(draw: st.DrawFn) -> Any:
    """An answer of an orchestrator, one value of which is another one."""
    value = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    path = draw(st.sampled_from(fields_of(value)))
    if not path:
        return draw(ANYTHING)
    inner = value
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = draw(ANYTHING)
    return value


TEXTS = st.one_of(
    st.one_of(of_wrong_types(), st.sampled_from(GOOD)).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(
        [
            "<h1>Bad gateway</h1> geräumt".encode("latin-1"), b'{"detail": "ger\xe4umt"}', b"[" * 100_000,
            b'{"a":' * 2000,
            b"9" * 5000, b"1e999", b"NaN", b"", b"null", b'"', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"\x00" * 20,
            b'{"detail": [{"loc": 5, "msg": 1}], "log": 7}', b'{"output": "no base64"}', b'{"output": "\xc3\xa4"}',
        ]
    ),
    st.binary(max_size=60),
)  # fmt: skip
BODIES = st.one_of(
    TEXTS, TEXTS.map(lambda text: b"data: " + text + b"\n\n"), TEXTS.map(lambda text: text + b"\n" + text)
)
KINDS = [
    "application/json", "application/problem+json", "text/html; charset=iso-8859-1", "application/json; charset=hex",
    "text/plain; charset=undefined", "application/json; charset=utf-16", "a; charset=idna", "\u00e4",
    "text/event-stream",
]  # fmt: skip
MORE = [
    "content-encoding: gzip", "content-encoding: deflate", "content-encoding: br", "content-encoding: zstd",
    "content-encoding: gzip, gzip", "content-length: 3", "content-length: 99999", "content-length: many",
    "transfer-encoding: chunked", "set-cookie: a=b; Max-Age=x; Expires=never", "location: http://[", "x: \u00e4", ": x",
]  # fmt: skip
STATUSES = [100, 101, 200, 201, 204, 206, 301, 304, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 599]


@st.composite
def answers_of_anything(draw: st.DrawFn) -> bytes:
    """All bytes that a server sends before it closes the connection."""
    body = draw(BODIES)
    if draw(st.booleans()):
        body = gzip.compress(body) if draw(st.booleans()) else b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    lines = [f"HTTP/1.1 {draw(st.sampled_from(STATUSES))} So", f"content-type: {draw(st.sampled_from(KINDS))}"]
    lines += draw(st.lists(st.sampled_from(MORE), max_size=2, unique=True))
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return whole[: draw(st.integers(0, len(whole)))] if draw(st.booleans()) else whole


async def served(answer: bytes, ask: Callable[[Client], Any]) -> None:
    """Ask a server that gives this answer to every request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "co_x", (0.0, 0.05)) as client:
        await ask(client)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answer=answers_of_anything(), asks=st.sampled_from(sorted(ASKS)))
def test_nothing_but_a_client_error_leaves_a_request(answer: bytes, asks: str) -> None:
    async def ask(client: Client) -> None:
        with suppress(ClientError):
            await ASKS[asks](client)

    asyncio.run(served(answer, ask))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answer=answers_of_anything(), asks=st.sampled_from(sorted(STREAMS)))
def test_nothing_but_a_client_error_leaves_a_stream(answer: bytes, asks: str) -> None:
    async def ask(client: Client) -> None:
        number = 0
        try:
            async with asyncio.timeout(0.1):  # a stream that ends is opened again without end
                async for one in STREAMS[asks](client):
                    _ = getattr(one, "what", None)
                    number += 1
                    if number == 3:
                        return
        except (ClientError, TimeoutError):
            return

    asyncio.run(served(answer, ask))


LATIN_1 = b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html; charset=iso-8859-1\r\n\r\n<h1>ger\xe4umt</h1>"
BADLY_PACKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n\r\nnot gzip"


@pytest.mark.parametrize("answer", [LATIN_1, BADLY_PACKED], ids=["the page of a proxy", "badly compressed"])
@pytest.mark.parametrize("command", [("deploy", "shop"), ("status",), ("events",), ("rollback", "shop", "--yes")])
def test_a_command_ends_with_4_where_something_else_answers(
    answer: bytes, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.cli.output.Client", lambda url, token: Client(url, token, (0.0,)))
    monkeypatch.setattr("panel.client.client.REPEAT_PAUSES_S", (0.01,))

    async def run(client: Client) -> None:
        monkeypatch.setenv("CHANGEOVER_URL", client.url)
        monkeypatch.setenv("CHANGEOVER_TOKEN", "co_x")
        done = await asyncio.to_thread(changeover, *command)
        assert (done.exit_code, "Traceback" in done.output) == (4, False), done.output

    asyncio.run(served(answer, run))


async def test_an_error_does_not_name_the_password_of_its_address() -> None:
    async def ask(client: Client) -> None:
        hidden = Client(client.url.replace("//", "//me:hidden@"), "co_x")
        with pytest.raises(Unreachable) as raised:
            await hidden.status()
        assert "hidden" not in str(raised.value)

    await served(LATIN_1.replace(b"\xe4", b"a"), ask)
