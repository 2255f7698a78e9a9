"""Probes go to the container itself."""

from __future__ import annotations

import pytest

from orchestrator.apps.probe import HttpProber
from tests.support.small_server import SmallServer


async def test_a_probe_does_not_go_by_a_proxy_server_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with SmallServer("app", "127.0.0.1") as server:
        answer = await HttpProber().ask("127.0.0.1", server.port, "/", host="shop.test")

    assert answer.text.startswith("app")
