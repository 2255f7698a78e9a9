"""What a server that is reached by SSH says of its files in Git LFS. A real one is in component/test_git_lfs.py."""

from __future__ import annotations

import json

import pytest

from orchestrator.errors import StepFailed
from orchestrator.sources.lfs_by_ssh import MOST_OF_ANSWER, _named

LFS = "https://git.test/me/shop.git/info/lfs"


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ({"href": LFS, "header": {"Authorization": "Basic abc="}, "expires_in": 3600}, (LFS, "Basic abc=")),
        ({"href": LFS, "header": {"AUTHORIZATION": "RemoteAuth abc", "x-more": "y"}}, (LFS, "RemoteAuth abc")),
        ({"href": LFS, "header": None}, (LFS, "")),
        ({"header": {}}, (LFS, "")),
    ],
)
def test_the_server_and_what_lets_in_are_read(answer: object, named: tuple[str, str]) -> None:
    assert _named(json.dumps(answer).encode(), "git.test", "/me/shop.git") == named


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]", b"null", b'"x"', b"\xff", b"[" * 20_000, b'{"href": 1}', b'{"href": "ftp://git.test/lfs"}',
        b'{"href": "/etc/passwd"}', b'{"href": "https://[", "header": {}}', b'{"header": {"authorization": 1}}',
        b'{"header": {"authorization": "a\\nb: c"}}', b'{"header": ["authorization"]}', b'{"header": "x"}',
        b'{"href": "https://git.test/"}' + b" " * MOST_OF_ANSWER,
    ],
    ids=range(15),
)  # fmt: skip
def test_what_is_no_answer_is_told(answer: bytes) -> None:
    with pytest.raises(StepFailed, match=r"The server git\.test gives no answer of Git LFS to git-lfs-authenticate"):
        _named(answer, "git.test", "/me/shop.git")
