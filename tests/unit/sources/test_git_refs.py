"""What a Git server says of its branches and tags: understood, or left to git."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from orchestrator.sources.git_refs import MOST_BYTES, GitRefs, digest, refs_in_mirror

ONE, OTHER = "1" * 40, "2" * 40
RESULT = "application/x-git-upload-pack-result"


def line(text: str) -> bytes:
    return f"{len(text) + 4:04x}{text}".encode()


WELL = line(f"{ONE} HEAD symref-target:refs/heads/main\n") + line(f"{ONE} refs/heads/main\n")
TAG = line(f"{OTHER} refs/tags/v1 peeled:{ONE}\n")


class Whole(httpx.AsyncByteStream):
    """A body that is read as one from the network: once."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


def refs_of(answer: bytes, *, status: int = 200, kind: str = RESULT, **headers: str) -> GitRefs:
    headers = {"content-type": kind} | {name.replace("_", "-"): one for name, one in headers.items()}

    def answered(request: httpx.Request) -> httpx.Response:
        assert request.headers["git-protocol"] == "version=2"
        return httpx.Response(status, headers=headers, stream=Whole(answer))

    return GitRefs("https://git.example.com/shop.git", httpx.MockTransport(answered))


async def test_branches_tags_and_the_default_branch_are_read() -> None:
    assert await refs_of(WELL + TAG + b"0000").ask({}) == {"HEAD": ONE, "refs/heads/main": ONE, "refs/tags/v1": OTHER}


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"0", WELL, WELL + b"0000" + TAG, b"zzzz", b"0003", b"0004", b"ffff", line("ERR no"), line(f"{ONE}\n"),
        line(f"{ONE[:-1]} refs/heads/main\n") + b"0000", b"-001" + WELL + b"0000", line("\xff" * 50), b"0001" + b"0000",
    ],
)  # fmt: skip
async def test_what_is_no_list_of_refs_is_left_to_git_from_then_on(answer: bytes) -> None:
    refs = refs_of(answer)

    assert await refs.ask({}) is None
    assert not refs.may_ask


@pytest.mark.parametrize("status", [301, 404, 415])
async def test_a_server_that_wants_something_else_is_left_to_git_from_then_on(status: int) -> None:
    refs = refs_of(WELL + b"0000", status=status, location="http://127.0.0.1/")

    assert await refs.ask({}) is None
    assert not refs.may_ask


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_a_server_that_fails_now_is_asked_again_later(status: int) -> None:
    """A token that ran out is renewed, and a limit ends."""
    refs = refs_of(b"", status=status)

    assert await refs.ask({}) is None
    assert refs.may_ask


async def test_many_refs_keep_nobody_else_waiting() -> None:
    many = b"".join(line(f"{ONE} refs/heads/{number}\n") for number in range(100_000))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    refs, counting = refs_of(many + b"0000"), asyncio.create_task(count())
    assert len(await refs.ask({}) or ()) == 100_000
    counting.cancel()
    assert turns > 20


async def test_an_answer_without_end_or_compressed_is_not_read() -> None:
    assert await refs_of(WELL * (MOST_BYTES // len(WELL) + 1) + b"0000").ask({}) is None
    assert await refs_of(WELL + b"0000", content_encoding="x").ask({}) is None


@pytest.mark.parametrize("remote", ["/srv/shop", "git@host:shop", "ssh://host/shop", "https://me:secret@host/shop"])
def test_only_servers_of_http_without_credentials_in_the_address_are_asked(remote: str) -> None:
    assert not GitRefs(remote).may_ask


@pytest.mark.parametrize("host", ["[::1", "localhost:99999", "localhost:x", "xn--.test", "localhost\u2100", ""])
def test_an_address_that_is_none_is_left_to_git_which_says_so(host: str) -> None:
    """It was told as a defect of Changeover, or as an error of a port."""
    assert not GitRefs(f"http://{host}/shop.git").may_ask


def test_the_refs_of_a_mirror_are_compared_by_the_names_of_the_remote() -> None:
    remote = {"HEAD": ONE, "refs/heads/main": ONE, "refs/heads/HEAD": OTHER, "refs/tags/v1": OTHER}
    listed = (
        f"refs/default-branch {ONE}\nrefs/remotes/origin/main {ONE}\nrefs/remotes/origin/HEAD {OTHER}\n"
        f"refs/submodule/{OTHER} {OTHER}\nrefs/tags/v1 {OTHER}\n"
    )

    assert refs_in_mirror(listed) == remote
    assert digest(remote, ("HEAD",)) == digest(refs_in_mirror(listed), ("HEAD",))
    assert digest(remote) == digest({name: one for name, one in remote.items() if name != "HEAD"})
    assert digest(remote, ("HEAD",)) != digest(remote | {"HEAD": OTHER}, ("HEAD",))
