"""Which addresses are of the internet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.sources.private_address import is_global


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_in_the_same_way_however_it_is_written(address: object) -> None:
    high, low = divmod(int(address), 2**16)  # type: ignore[call-overload]
    for written in (f"::ffff:{address}", f"64:ff9b::{address}", f"2002:{high:x}:{low:x}::1"):
        assert is_global(written) == is_global(str(address)), written


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("::127.0.0.1", False), ("::10.0.0.1", False),
        ("64:ff9b::8.8.8.8", True), ("2002:808:808::1", True), ("::1", False), ("::", False),
        ("2606:4700::1111", True), ("fe80::1%eth0", False), ("8.8.8.8", True),
    ],
)  # fmt: skip
def test_an_address_is_of_the_internet(address: str, is_one: bool) -> None:
    assert is_global(address) == is_one
