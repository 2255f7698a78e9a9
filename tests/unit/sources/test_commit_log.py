"""The log of commits, whose number and length whoever can push decides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from orchestrator.domain.changelog import MOST_CHANGES
from orchestrator.sources import git_names
from orchestrator.sources.commit_log import MOST_OF_MESSAGE, CommitLog
from orchestrator.sources.commits import MOST_READ, commits_between
from orchestrator.sources.git_names import MOST_TAGS, newest_tag
from orchestrator.sources.git_versions import tagged_versions
from orchestrator.sources.versions import is_in

MESSAGES = st.lists(st.text(st.characters(exclude_characters="\0\1", exclude_categories=["Cs"]), max_size=40))


@given(messages=MESSAGES, length=st.integers(1, 50))
def test_what_arrives_in_pieces_of_any_length_is_the_same(messages: list[str], length: int) -> None:
    text = "\n".join(f"{at:040x}\0{message}\1" for at, message in enumerate(messages)).encode()
    log = CommitLog()
    for start in range(0, len(text), length):
        log.feed(text[start : start + length])

    found = log.commits()

    assert [one.revision for one in found] == [f"{at:040x}" for at in range(len(messages))]
    assert [one.message.strip("\n") for one in found] == [message.strip("\n") for message in messages]


def test_of_each_message_no_more_is_kept_than_is_read() -> None:
    log = CommitLog()
    for at in range(3):
        log.feed(f"{at:040x}\0".encode())
        for _ in range(40):
            log.feed(b"x" * 65536)
        log.feed(b"\1\n")

    assert sum(map(len, log._ended)) < 3 * 100_000
    assert [len(one.message) for one in log.commits()] == [2 * MOST_OF_MESSAGE] * 3


class Git:
    """A mirror that has this log, or these tags."""

    def __init__(self, log: bytes = b"", tags: list[str] | None = None) -> None:
        self.log, self.tags = log, tags or []

    async def __call__(
        self, command: str, *arguments: str, check: bool = True, on_out: Callable[[bytes], None] | None = None
    ) -> str:
        if on_out:
            for start in range(0, len(self.log), 65536):
                on_out(self.log[start : start + 65536])
                await asyncio.sleep(0)
            return ""
        if command == "for-each-ref":
            count = next((int(one[8:]) for one in arguments if one.startswith("--count=")), len(self.tags))
            newest = "--sort=-creatordate" in arguments
            with_date = any("%00" in one for one in arguments)
            listed = self.tags[::-1][:count] if newest else self.tags[:count]
            return "\n".join(f"{tag}\0{0}" if with_date else tag for tag in listed)
        return {"merge-base": "c" * 40, "rev-list": "0", "rev-parse": "d" * 40}.get(command, "")


async def share_of_the_loop(work: Callable[[], Awaitable[object]]) -> float:
    """How much of the processor time of this work the event loop's own thread took, from 0 to 1."""
    loop_began, all_began = time.thread_time(), time.process_time()
    await work()
    return (time.thread_time() - loop_began) / (time.process_time() - all_began)


async def test_long_messages_do_not_stop_the_event_loop() -> None:
    """500 commits with 64 MiB of messages took it for 20 s: each was parsed whole, on the loop."""
    message = b"revert: a\n" + b"a: b\n" * 4_000
    git = Git(log=b"\n".join(b"%040x\0%s\1" % (at, message) for at in range(MOST_READ)))

    share = await share_of_the_loop(lambda: commits_between(git, "a" * 40, "b" * 40, "app", str))

    assert share < 0.5
    found = await commits_between(git, "a" * 40, "b" * 40, "app", str)
    assert len(found.changes) == MOST_CHANGES


async def test_of_many_tags_the_first_that_is_followed_is_looked_for_beside_the_event_loop() -> None:
    git = Git(tags=[f"v1.{at}.0" for at in range(MOST_TAGS - 1)])

    share = await share_of_the_loop(lambda: newest_tag(git, "v*", version_range=">=2"))

    assert share < 0.1
    assert (await newest_tag(git, "v*", version_range="<1.500"))[0] == "v1.499.0"


async def test_only_as_many_tags_are_looked_at_as_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def counted(tag: str, wanted: SpecifierSet) -> bool:
        looked_at.append(tag)
        return is_in(tag, wanted)

    monkeypatch.setattr(git_names, "is_in", counted)
    git = Git(tags=[f"v1.{at}.0" for at in range(200)])

    assert (await newest_tag(git, "v*", version_range=">=1"))[0] == "v1.199.0"
    assert len(looked_at) == 1


async def test_of_too_many_tags_the_newest_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_names, "MOST_TAGS", 10)
    git = Git(tags=[f"v1.{at}.0" for at in range(30)])

    assert (await newest_tag(git, "v*"))[0] == "v1.29.0"
    assert [one.version for one in await tagged_versions(git, "v*", None, "semver")][-1] == "v1.20.0"
