"""A source does not know who asks: a deployment by hand has no next check, so that sources do not promise one."""

from __future__ import annotations

import ast
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.own_address import HOST
from orchestrator.errors import StepFailed
from orchestrator.sources.web import Web
from tests.support.paths import ROOT

FILES = [*(ROOT / "orchestrator" / "sources").glob("*.py"), ROOT / "orchestrator" / "updates" / "checker.py"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_source_promises_another_check(file: Path) -> None:
    texts = [
        node.value
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    assert not [text for text in texts if "next check." in text or "asked again at" in text]


def refuses(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused", request=request)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost", "[::1]:9"])
async def test_what_does_not_answer_at_an_own_address_is_told_as_such(host: str) -> None:
    web = Web(httpx.MockTransport(refuses), pause_s=0.0)

    with pytest.raises(StepFailed, match="own container, and not this host") as refused:
        await web.page(f"http://{host}/m.json", "application/json")

    assert HOST in refused.value.remedy


async def test_what_does_not_answer_elsewhere_is_not() -> None:
    web = Web(httpx.MockTransport(refuses), pause_s=0.0)

    with pytest.raises(StepFailed, match="Check the address, and that this host reaches it") as refused:
        await web.page("http://web.test/m.json", "application/json")

    assert HOST not in str(refused.value)
