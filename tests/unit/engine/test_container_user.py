"""An image that runs as root is found out, however it writes that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.docker.container_user import is_root

PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/:/bin/false
app:x:1000:1000::/home/app:/bin/sh
toor:x:0:0::/root:/bin/sh
zeros:x:00:0::/:/bin/sh
short:x
odd:x:none:1
"""


@pytest.mark.parametrize(
    "user",
    [
        "", ":", ":1000", "0", "00", "000", "+0", "-0", "0:0", "00:1000", "root", "root:1000", "root:app",
        "toor", "toor:app", "zeros", "short", "odd",
    ],
)  # fmt: skip
def test_every_way_to_write_root_is_root(user: str) -> None:
    assert is_root(user, PASSWD)


@pytest.mark.parametrize("user", ["1", "1000", "01000", "1000:0", "app", "app:root", "daemon", "nobody", "10001:10001"])
def test_what_is_not_root_is_not(user: str) -> None:
    assert not is_root(user, PASSWD)


def test_the_word_root_is_root_without_any_file() -> None:
    assert is_root("root", "")
    assert is_root("root:staff", "")


@given(st.integers(0, 2**31 - 1), st.integers(0, 12), st.sampled_from(["", "+"]), st.sampled_from(["", ":0", ":app"]))
def test_a_number_is_a_user_id_whatever_zeros_are_before_it(uid: int, zeros: int, sign: str, group: str) -> None:
    assert is_root(f"{sign}{'0' * zeros}{uid}{group}", PASSWD) is (uid == 0)
