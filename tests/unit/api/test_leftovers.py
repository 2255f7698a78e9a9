"""What an app has left is removed only while it is not configured."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.access.caller import Caller
from orchestrator.api import leftovers
from orchestrator.domain.access import Scope
from orchestrator.errors import Refused
from orchestrator.server import Orchestrator
from tests.support.fakes.engine import FakeEngine
from tests.unit.conftest import SHOP

BLOG = "  blog:\n    update: {git: {remote: /srv/blog}}\n    route: {host: blog.test}\n"
ADMIN = Caller("admin", Scope.ADMIN, None, "127.0.0.1")


async def test_an_app_that_is_configured_again_while_its_removal_waits_keeps_what_it_has(
    orchestrator: Orchestrator,
) -> None:
    engine = orchestrator.engine
    assert isinstance(engine, FakeEngine)
    engine.named_volumes.add("test-blog-data")
    orchestrator.ready = True

    async with orchestrator.scheduler.turn_of("blog"):
        removing = asyncio.create_task(leftovers.remove("blog", orchestrator, ADMIN))
        await asyncio.sleep(0.05)
        orchestrator.settings.config.write_text(SHOP + BLOG)
        await orchestrator.reload_config()
    with pytest.raises(Refused, match="blog is configured"):
        await removing

    assert "test-blog-data" in engine.named_volumes
    await orchestrator.stop()
