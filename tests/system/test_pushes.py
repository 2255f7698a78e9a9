"""Pushes of forges and registries, from the delivery through the proxy to the live release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestrator.domain.push_check import Forge
from tests.support.forges import SECRET, delivery, git_push
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import NO_APPS, Stack

SHOP = """
apps:
  shop:
    update: {{check_on_startup: false, git: {{remote: {remote}, branch: main, auto_fetch: false}}}}
    run: {{port: 8000, data: /data}}
    route: {{host: shop.test}}
    health: {{timeout: 30}}
    migrate: {{command: alembic upgrade head, timeout: 60}}
    drain: {{timeout: 2, stop_timeout: 5}}
    push: {{secret_file: secrets/shop-hook}}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop", ROOT / "examples" / "shop")


def with_secret(folder: Path) -> Path:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "shop-hook").write_text(f"{SECRET}\n")
    return folder


def outcome(stack: Stack, answer: httpx.Response) -> Any:
    """What became of the check that a push asked for."""
    assert answer.status_code in (200, 202), answer.text
    path = answer.json()["url"].removeprefix("/v1")

    def ended() -> Any:
        found = stack.get(path)
        return found if found["state"] != "waiting" else None

    return stack.until(ended, "the check of the push ends")


def test_a_push_is_live_without_a_further_hand_and_waits_while_the_orchestrator_is_away(
    tmp_path: Path, repository: Repository, proxy_image: None
) -> None:
    config = NO_APPS + SHOP.format(remote=json.dumps(str(repository.path)))
    with Stack(with_secret(tmp_path), config) as stack:
        url = stack.url("")
        first = delivery(Forge.GITHUB, git_push(after=repository.git("rev-parse", "HEAD")))
        answer = first.post(url)
        assert answer.status_code == 202
        deployed = stack.wait_ended(outcome(stack, answer)["deployment"])
        assert (deployed["state"], deployed["requested_by"]) == ("live", "push")
