"""No report of a pending migration is overheard: a release would go live without its migrations."""

from __future__ import annotations

import pytest

from orchestrator.app_data import migrations
from orchestrator.domain.deployment import State
from orchestrator.domain.heard_lines import must_be_heard
from orchestrator.domain.schema_history import Outcome
from orchestrator.errors import StepFailed
from orchestrator.host.output import LAST_LINES, MOST_KEPT, MOST_LINES, Output
from tests.support import virtual_time
from tests.support.fakes.world import World

REPORT = 'changeover: {"revision": "0002", "previous": "0001"}'
APPLIED = 'changeover: {"revision": "0001", "applied": true}'


def schema_said(world: World, *lines: str) -> migrations.Schema | None:
    """The schema by a status command that prints this, within the limits of a sidecar's output."""
    said: list[str] = []
    output = Output(said.append, must_be_heard)
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


@pytest.mark.parametrize(
    "line",
    [
        f"INFO:changeover:{REPORT}",  # of a logger that is called so
        f"changeover: hello {REPORT}"[3:],
        '{"event": "changeover: {\\"revision\\": \\"0002\\"}", "level": "info"}',
        'level=info msg="changeover: {\\"revision\\": \\"0002\\"}"',
        "INFO changeover: {'revision': '0002', 'compatible': False}",
        'INFO changeover: {:revision=>"0002"}',
        'INFO changeover: {"revision": 2}',
        'INFO changeover: {"previous": "0001", "revision": "0002", "why": ""}',
        'INFO changeover: {"revision": "0002", "prev',
        "INFO changeover: [" + REPORT.partition(" ")[2] + "]",
        "INFO changeover: {",
        f"Changeover{REPORT.removeprefix('changeover')}",
        f"{APPLIED} {REPORT}"[1:],
    ],
)
def test_what_is_meant_as_a_report_is_refused_however_it_is_wrapped(world: World, line: str) -> None:
    with pytest.raises(StepFailed, match="a report behind other text"):
        schema_said(world, APPLIED, line)


def test_the_program_of_a_shell_that_reports_is_no_report(world: World) -> None:
    trace = """+ printf 'changeover: {"revision": "%s"}\\n' 0002"""
    schema = schema_said(world, trace, REPORT)
    assert schema is not None
    assert [one.revision for one in schema.pending] == ["0002"]


def test_more_reports_than_are_heard_fail(world: World) -> None:
    with pytest.raises(StepFailed, match="10 lines that may report a migration had to be left out"):
        schema_said(world, *["noise"] * MOST_LINES, *[REPORT] * (MOST_KEPT + 10))


@pytest.mark.parametrize("before", ["Applying 0002 ", "INFO:changeover:"])
@pytest.mark.parametrize("is_planned", [True, False])
def test_a_migration_that_is_committed_and_reported_behind_other_text_is_not_taken_back_for_it(
    world: World, before: str, is_planned: bool
) -> None:
    world.configure(migrate={"command": "up", "down": "down {revision}"} | ({"status": "status"} if is_planned else {}))
    world.engine.says_before_reports = before
    world.engine.incompatible.add("0002")

    async def story() -> None:
        for revision in ("0001", "0002"):
            world.publish(revision)
            made = await world.deploy()
            assert made.state is State.LIVE, made.failure
        runs = world.journal.migrations(world.context.name)
        assert [(run.outcome, [one.revision for one in run.revisions]) for run in runs] == [
            (Outcome.DONE, ["0001"]), (Outcome.DONE, ["0002"]),
        ]  # fmt: skip
        assert not runs[-1].revisions[0].compatible

    virtual_time.run(story())


def test_a_report_that_is_printed_as_it_should_be_may_be_traced_too(world: World) -> None:
    """As a shell script with `set -x` does."""
    schema = schema_said(world, f"+ echo '{REPORT}'", REPORT, f"+ echo '{APPLIED}'")
    assert schema is not None
    assert [one.revision for one in schema.pending] == ["0002"]


@pytest.mark.parametrize(
    "text", ['see changeover: {"what": []}', "changeover: the docs", "not changeover:", "the image is changeover:{tag}"]
)
def test_what_only_looks_like_a_report_behind_other_text_is_ordinary_output(world: World, text: str) -> None:
    if text.startswith("changeover:"):
        with pytest.raises(StepFailed, match="not valid"):
            schema_said(world, text)
        return
    assert schema_said(world, text) == migrations.Schema()


def test_a_plan_of_a_tool_in_the_middle_of_a_log_is_not_overheard(world: World) -> None:
    with pytest.raises(StepFailed, match=f"more than {MOST_LINES} lines"):
        schema_said(world, *["noise"] * MOST_LINES, "[ ]  shop.0002_it", *["noise"] * (LAST_LINES + 1))


@pytest.mark.parametrize(
    ("line", "tool"),
    [
        ("  down    20240102000000  Add name", "Rails"),
        ("down 20240102-add-name.js", "Sequelize"),
        ("| Versioned  | 2 | add name | SQL |                     | Pending | No       |", "Flyway"),
        ("Found 1 Pending Migration file/files.", "Knex"),
        ("  2024_01_02_000000_add_name ........................ Pending", "Laravel"),
        ("20240102000000_AddName (Pending)", "Entity Framework"),
        ("    Pending                  -- 00002_add_name.sql", "Goose"),
        ("Following migration have not yet been applied:", "Prisma"),
    ],
)
def test_a_pending_migration_in_the_form_of_another_tool_is_refused(world: World, line: str, tool: str) -> None:
    with pytest.raises(StepFailed, match=f"in the form of {tool}: .* not understood") as failed:
        schema_said(world, "a heading", line)
    assert "a line for each pending migration" in failed.value.remedy


@pytest.mark.parametrize(
    "line",
    [
        "   up     20240101000000  Create users",
        "| Versioned  | 1 | create | SQL | 2024-01-01 00:00:00 | Success | No       |",
        "No Pending Migration files Found.",
        "going down 3 stairs",
        "Database schema is up to date!",
        "Rev: 3f2a9c",
    ],
)
def test_a_tool_that_says_that_nothing_is_pending_is_believed(world: World, line: str) -> None:
    assert schema_said(world, line) == migrations.Schema()


PLAN = [f"[ ]  shop.{number:04}_it" for number in range(LAST_LINES + 1)]


def test_a_plan_of_a_tool_is_heard_behind_a_log(world: World) -> None:
    schema = schema_said(world, *["noise"] * MOST_LINES, *PLAN)
    assert schema is not None
    assert len(schema.pending) == len(PLAN)


def test_a_plan_of_a_tool_of_which_lines_may_be_missing_is_refused(world: World) -> None:
    with pytest.raises(StepFailed, match=f"more than {MOST_LINES} lines"):
        schema_said(world, *["noise"] * MOST_LINES, *PLAN, *["noise"] * (LAST_LINES + 1))
