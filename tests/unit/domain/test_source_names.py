"""What Git is given as the name of a repository or a ref is never an option and never runs a program."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.source_names import is_commit, is_ref, ssh_address, why_no_remote


@pytest.mark.parametrize(
    "remote",
    [
        "--upload-pack=touch /tmp/x", "-u", "-", "ext::sh -c 'touch /tmp/x'", "EXT::sh", "fd::17", "helper::x",
        "::x", "ftp://example.com/shop", "rsync://example.com/shop", "ssh://-oProxyCommand=x/shop",
        "ssh://git@-oProxyCommand=x/shop", "-oProxyCommand=x:shop", "git@-oProxyCommand=x:shop", "", " ", "a\nb",
        "https://example.com/\x1b]0;x\x07", "ext://sh", "foo+ssh://example.com/shop",
    ],
)  # fmt: skip
def test_an_address_that_is_an_option_or_runs_a_program_is_refused(remote: str) -> None:
    assert why_no_remote(remote)


@pytest.mark.parametrize(
    "remote",
    [
        ".", "origin", "my.remote-1", "/srv/git/shop.git", "../shop", "https://git.example.com/shop.git",
        "https://me:p@ss@git.example.com/shop.git", "http://127.0.0.1:3000/a/b", "ssh://git@host:22/shop.git",
        "git@github.com:owner/shop.git", "host:shop", "git://host/shop", "file:///srv/shop.git", "HTTPS://host/shop",
        "git@my-host:-odd", "/srv/a-b/-c",
    ],
)  # fmt: skip
def test_every_usual_address_is_accepted(remote: str) -> None:
    assert why_no_remote(remote) == ""


@pytest.mark.parametrize("name", ["main", "v1.2.0", "feature/basket", "a-b", "0f3c", "ünïcode", "a@b"])
def test_a_name_of_a_branch_or_tag_is_accepted(name: str) -> None:
    assert is_ref(name)


@given(st.text(st.characters(codec="utf-8"), max_size=12) | st.text("-./@{^~: *[\\\x7fab", max_size=8))
def test_a_ref_is_what_git_calls_one_and_never_an_option(name: str) -> None:
    if is_ref(name):
        assert not name.startswith("-")
        asked = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False)
        assert asked.returncode == 0, name


@pytest.mark.parametrize(
    "name", ["", "-", "--output=/x", "HEAD~1", "main:secret", "a..b", "a@{1}", "a^{tree}", "@", "a b"]
)
def test_an_option_or_an_expression_is_no_name(name: str) -> None:
    assert not is_ref(name)


def test_a_commit_is_its_whole_name() -> None:
    assert is_commit("0" * 40)
    assert is_commit("a" * 64)
    assert not any(is_commit(name) for name in ("", "a" * 39, "A" * 40, "--output=/x", "a" * 40 + "\n", "HEAD"))


@pytest.mark.parametrize(
    ("remote", "asked"),
    [
        ("git@git.test:me/shop.git", ("git@git.test", "", "me/shop.git")),
        ("git.test:/srv/shop.git", ("git.test", "", "/srv/shop.git")),
        ("git@git.test:~me/a:b.git", ("git@git.test", "", "~me/a:b.git")),
        ("[git@git.test:2222]:me/shop.git", ("git@git.test", "2222", "me/shop.git")),
        ("[git.test:2222]:shop.git", ("git.test", "2222", "shop.git")),
        ("git@[::1]:shop.git", ("git@::1", "", "shop.git")),
        ("ssh://git@git.test/me/shop.git", ("git@git.test", "", "/me/shop.git")),
        ("ssh://git.test:2222/srv/shop.git", ("git.test", "2222", "/srv/shop.git")),
        ("ssh://me@git.test/~me/shop.git", ("me@git.test", "", "~me/shop.git")),
        ("git+ssh://git@[::1]:22/x", ("git@::1", "22", "/x")),
    ],
)
def test_ssh_is_asked_for_what_git_asks_for(remote: str, asked: tuple[str, str, str]) -> None:
    assert ssh_address(remote) == asked
