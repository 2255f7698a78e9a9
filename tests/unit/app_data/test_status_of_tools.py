"""A status command of a common tool says what the data has, also what was applied before Changeover came."""

from __future__ import annotations

import pytest

from orchestrator.app_data import migrations
from tests.support import virtual_time
from tests.support.fakes.world import World

DJANGO = ("[X]  shop.0001_initial", "[X]  shop.0002_price", "[ ]  shop.0003_cart")
ALEMBIC = (
    "INFO  [alembic] SQLite",
    "0002 -> 0003 (head), cart",
    "0001 -> 0002 (current), price",
    "<base> -> 0001, first",
)


@pytest.mark.parametrize(
    ("said", "applied", "pending"),
    [
        (DJANGO, ["shop.0001_initial", "shop.0002_price"], ["shop.0003_cart"]),
        (ALEMBIC, ["0001", "0002"], ["0003"]),
    ],
)
def test_what_was_applied_and_what_is_pending_is_known(
    world: World, said: tuple[str, ...], applied: list[str], pending: list[str]
) -> None:
    async def story() -> migrations.Schema | None:
        world.publish()
        await world.deploy()
        world.engine.says_of_status = said
        active = world.context.active
        assert active is not None
        return await migrations.schema_of(world.context, active)

    schema = virtual_time.run(story())
    assert schema is not None
    assert [one.revision for one in schema.applied] == applied
    assert [one.revision for one in schema.pending] == pending
