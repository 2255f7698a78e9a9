"""The upload of archives that are deployed by hand, and what names a release."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from orchestrator.api.application import BODY_BYTES
from orchestrator.domain.access import Scope
from orchestrator.sources import uploads
from tests.unit.api.conftest import Api

PATH = "/v1/apps/shop/archives"


async def send(
    api: Api, secret: str, *pieces: bytes, path: str = PATH, length: int | None = None, cut: bool = False
) -> tuple[int, dict[str, Any], int]:
    """The status, the answer, and how many pieces were read. `cut`: the client goes away behind the last one."""
    waiting: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    waiting.append({"type": "http.disconnect"} if cut else {"type": "http.request", "body": b"", "more_body": False})
    total, answer = len(waiting), list[Message]()
    size = [] if length is None else [(b"content-length", str(length).encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "client": ("203.0.113.7", 1),
        "server": ("api.test", 80),
        "headers": [(b"authorization", f"Bearer {secret}".encode()), *(size or [(b"transfer-encoding", b"chunked")])],
    }  # fmt: skip

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def reply(message: Message) -> None:
        answer.append(message)

    await api.app(scope, receive, reply)
    body = b"".join(message.get("body", b"") for message in answer[1:])
    return int(answer[0]["status"]), json.loads(body), total - len(waiting)


def left(api: Api) -> list[Path]:
    return list((api.orchestrator.settings.state / "uploads").glob("*/*"))


async def test_an_archive_is_kept_until_it_is_deployed(api: Api) -> None:
    token = api.token(Scope.DEPLOY, "shop")
    large = bytes(BODY_BYTES)

    status, kept, _ = await send(api, token, large, b"more", length=BODY_BYTES + 4)

    assert (status, kept["bytes"]) == (201, BODY_BYTES + 4)
    assert [file.name for file in left(api)] == [f"{kept['archive']}.tar"]
    asked = await api.json("POST", "/v1/apps/shop/deployments", token, {"archive": kept["archive"], "version": "1.2"})
    assert asked["ref"] == f"archive:{kept['archive']}:1.2"


@pytest.mark.parametrize(
    ("scope", "apps", "status"),
    [(Scope.DEPLOY, ("other",), 403), (Scope.READ, ("shop",), 403), (None, (), 401)],
)
async def test_of_whoever_may_not_deploy_the_app_nothing_is_kept(
    api: Api, scope: Scope | None, apps: tuple[str, ...], status: int
) -> None:
    token = api.token(scope, *apps) if scope else "no token"

    found, _, _ = await send(api, token, b"a" * 1000)

    assert found == status
    assert left(api) == []


async def test_what_is_cut_or_too_long_is_not_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    token = api.token(Scope.DEPLOY, "shop")

    cut, _, _ = await send(api, token, b"a" * 2**20, b"b", cut=True)
    monkeypatch.setattr(uploads, "MOST_BYTES", 10)
    too_long, says, _ = await send(api, token, b"a" * 11)

    assert (cut, too_long) == (400, 413)
    assert says["detail"] == "The archive has more than 2,048 MiB."
    assert left(api) == []


@pytest.mark.parametrize("pieces", [(), (b"",)])
async def test_an_empty_archive_is_refused_before_anything_is_deployed(api: Api, pieces: tuple[bytes, ...]) -> None:
    """`git archive … | changeover deploy shop --archive -` sends it where git fails."""
    status, says, _ = await send(api, api.token(Scope.DEPLOY, "shop"), *pieces)

    assert status == 422
    assert says["detail"] == "The archive is empty: nothing of it arrived."
    assert says["remedy"] == "Look at the command that was to make it."
    assert left(api) == []


async def test_an_app_that_is_not_configured_gets_no_archive(api: Api) -> None:
    status, _, _ = await send(api, api.token(Scope.DEPLOY), b"a", path="/v1/apps/ghost/archives")

    assert status == 404
    assert left(api) == []


@pytest.mark.parametrize(
    ("wanted", "ref"),
    [
        ({"image": "registry.test/shop:1.2"}, "image:registry.test/shop:1.2"),
        ({"image": "sha256:" + "a" * 64}, "image:sha256:" + "a" * 64),
        ({"archive": "0123456789abcdef"}, "archive:0123456789abcdef"),
        ({"ref": "main"}, "main"),
    ],
)
async def test_a_deployment_is_of_one_release(api: Api, wanted: dict[str, str], ref: str) -> None:
    assert (await api.json("POST", "/v1/apps/shop/deployments", api.token(Scope.DEPLOY), wanted))["ref"] == ref


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"image": "a", "ref": "main"}, "either ref, image or archive"),
        ({"image": "a", "archive": "0123456789abcdef"}, "either ref, image or archive"),
        ({"version": "1", "ref": "main"}, "only an archive has a version"),
        ({"ref": "image:shop"}, "no branch, tag or commit begins so"),
        ({"ref": "archive:x"}, "no branch, tag or commit begins so"),
        ({"image": "Shop:1"}, "it is not the name of an image"),
        ({"image": "a b"}, "the name of an image"),
        ({"archive": "../../x"}, "the name that an uploaded archive got"),
        ({"archive": "0123456789abcdef", "version": "a b"}, "a version: at most 100"),
    ],
)
async def test_what_names_no_release_is_refused(api: Api, wanted: dict[str, str], says: str) -> None:
    answer = await api.json("POST", "/v1/apps/shop/deployments", api.token(Scope.DEPLOY), wanted)

    assert answer["status"] == 422
    assert says in str(answer["detail"])


async def test_an_archive_is_not_removed_if_its_deployment_was_asked_for_while_another_upload_waited(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_UNUSED", 1)
    token = api.token(Scope.DEPLOY, "shop")
    _, first, _ = await send(api, token, b"first")
    async with AsyncExitStack() as turns:
        for other in "abcd":
            await turns.enter_async_context(api.app.state.uploads.turn_of(other))
        waiting = asyncio.create_task(send(api, token, b"second"))
        await asyncio.sleep(0.1)
        await api.json("POST", "/v1/apps/shop/deployments", token, {"archive": first["archive"]})
    _, second, _ = await waiting

    assert {file.name for file in left(api)} == {f"{one['archive']}.tar" for one in (first, second)}
