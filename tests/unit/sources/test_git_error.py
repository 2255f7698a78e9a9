"""What is told of a git command that failed."""

from __future__ import annotations

import pytest

from orchestrator.sources.git_error import MOST_BYTES, MOST_LINES, command_of, error_line, last_lines


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--git-dir", "/m.git", "fetch", "--quiet", "--", "https://h/x"), "git fetch"),
        (("-C", "/source", "remote", "get-url", "origin"), "git remote"),
        (("init", "--bare", "/m.git"), "git init"),
        (("--git-dir", "/m.git", "-c", "gc.auto=0", "gc"), "git gc"),
    ],
)
def test_the_command_is_named_and_not_its_options(arguments: tuple[str, ...], says: str) -> None:
    assert command_of(arguments) == says


def test_the_end_of_what_a_server_sends_is_kept_in_whole_lines() -> None:
    sent = b"remote: canary-4711 and more of it\n" * 100_000 + b"fatal: the remote end hung up\n"

    kept = last_lines(sent)

    assert error_line(kept) == "the remote end hung up"
    assert len(kept) <= MOST_BYTES
    assert len(kept.splitlines()) <= MOST_LINES
    assert set(kept.splitlines()) == {"remote: canary-4711 and more of it", "fatal: the remote end hung up"}
    assert last_lines(b"fatal: short\n") == "fatal: short"
    assert last_lines(b"x" * 100_000) == ""
