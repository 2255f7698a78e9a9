"""No report of a pending migration is overheard: a release would go live without its migrations."""

from __future__ import annotations

import pytest

from orchestrator.app_data import migrations
from orchestrator.domain.schema_report import may_report
from orchestrator.errors import StepFailed
from orchestrator.host.output import LAST_LINES, MOST_LINES, Output
from tests.support import virtual_time
from tests.support.fakes.world import World

REPORT = 'changeover: {"revision": "0002", "previous": "0001"}'
APPLIED = 'changeover: {"revision": "0001", "applied": true}'


def schema_said(world: World, *lines: str) -> migrations.Schema | None:
    """The schema by a status command that prints this, within the limits of a sidecar's output."""
    said: list[str] = []
    output = Output(said.append, may_report)
    output.feed("\n".join(lines).encode())
    output.close()

    async def story() -> migrations.Schema | None:
        world.publish()
        await world.deploy()
        world.engine.says_of_status = tuple(said)
        active = world.context.active
        assert active is not None
        return await migrations.schema_of(world.context, active)

    return virtual_time.run(story())


@pytest.mark.parametrize("before", ["checking the database: ok ", "INFO:shop:", "  ", "50 %\r100 %\r"])
@pytest.mark.parametrize("noise", [0, MOST_LINES])
def test_a_report_behind_other_text_is_refused_and_not_taken_for_nothing_to_do(
    world: World, before: str, noise: int
) -> None:
    lines = *["noise"] * noise, APPLIED, before + REPORT, *["noise"] * noise
    with pytest.raises(StepFailed, match=r"a report behind other text: .*0002") as failed:
        schema_said(world, *lines)
    assert "on a line of its own" in failed.value.remedy


def test_a_report_that_is_printed_as_it_should_be_may_be_traced_too(world: World) -> None:
    """As a shell script with `set -x` does."""
    schema = schema_said(world, f"+ echo '{REPORT}'", REPORT, f"+ echo '{APPLIED}'")
    assert schema is not None
    assert [one.revision for one in schema.pending] == ["0002"]


@pytest.mark.parametrize(
    "text", ['see changeover: {"revision": 2, "what": []}', "changeover: the docs", "not changeover:"]
)
def test_what_only_looks_like_a_report_behind_other_text_is_ordinary_output(world: World, text: str) -> None:
    if text.startswith("changeover:"):
        with pytest.raises(StepFailed, match="not valid"):
            schema_said(world, text)
        return
    assert schema_said(world, text) == migrations.Schema()


def test_a_plan_of_a_tool_that_is_not_whole_is_refused(world: World) -> None:
    plan = [f"[ ]  shop.{number:04}_it" for number in range(LAST_LINES + 1)]
    with pytest.raises(StepFailed, match=f"more than {MOST_LINES} lines"):
        schema_said(world, *["noise"] * MOST_LINES, *plan)
