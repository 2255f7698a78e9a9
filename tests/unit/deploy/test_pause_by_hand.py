"""Whatever is away, a person can let the requests go that a person has paused."""

from __future__ import annotations

from pathlib import Path

from orchestrator.deploy import pause_by_hand
from orchestrator.errors import JournalError
from tests.support import virtual_time
from tests.support.fakes.living_world import LivingWorld
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP


def test_requests_that_a_person_has_paused_are_resumed_also_while_the_journal_is_away(tmp_path: Path) -> None:
    async def story() -> None:
        world = LivingWorld(tmp_path, app())
        await world.begin()
        await live(world, "0001")
        await world.until_idle()
        lane = world.scheduler.lane_of(APP)
        await pause_by_hand.pause_requests(world.context, lane, 30)
        world.journal.away = JournalError("The journal does not answer.", "Start its database.")
        await pause_by_hand.resume_requests(world.context, lane)
        assert APP not in world.proxy.waiting
        world.journal.away = None
        await world.stop()

    virtual_time.run(story())
