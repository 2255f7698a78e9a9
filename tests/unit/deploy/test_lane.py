"""What a lane waits for before it begins something."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.deploy.lane import RECOVERED_WITHIN_S, Lane
from orchestrator.errors import Refused
from tests.support import virtual_time
from tests.support.fakes.world import APP


@pytest.mark.parametrize("recovered_after_s", [0.0, 0.013, RECOVERED_WITHIN_S - 0.1])
def test_a_request_waits_until_the_app_is_recovered_and_no_longer(recovered_after_s: float) -> None:
    async def story() -> float:
        loop = asyncio.get_running_loop()
        lane, began = Lane(), loop.time()
        lane.recovered.clear()
        loop.call_later(recovered_after_s, lane.recovered.set)
        await lane.until_recovered(APP)
        return loop.time() - began

    assert virtual_time.run(story()) == pytest.approx(recovered_after_s, abs=0.001)


def test_a_request_for_an_app_that_is_not_recovered_is_refused() -> None:
    async def story() -> None:
        lane = Lane()
        lane.recovered.clear()
        with pytest.raises(Refused, match="not recovered yet"):
            await lane.until_recovered(APP)

    virtual_time.run(story())
