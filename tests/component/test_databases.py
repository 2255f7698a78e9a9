"""The journal and the panel's database: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrations import configuration, revisions
from migrations.database import connect, current, head, home_folder
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Failure, Kind, Slots, State, StepName, StepState
from orchestrator.domain.events import EventKind, NewEvent
from orchestrator.domain.release import Change, Release
from orchestrator.domain.schema_history import Direction, Outcome, SchemaRevision
from orchestrator.errors import JournalError
from orchestrator.journal.store import OWN, Journal
from panel.session.state import SessionState
from panel.session.store import Store
from tests.support.paths import ROOT
from tests.support.postgres import Postgres

HOMES = ("orchestrator", "panel")
CONFIG = """\
# The apps of this machine.
update:
  git:
    branch: main   # follow main
apps: {}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> str:
    return f"sqlite:///{tmp_path}/test.db" if request.param == "sqlite" else postgres.url(postgres.create())


@pytest.fixture
def home(tmp_path: Path) -> Callable[..., str]:
    """Makes an Alembic home with these revisions' bodies, numbered from 0001."""

    def make(*bodies: str) -> str:
        folder = tmp_path / "home"
        (folder / "versions").mkdir(parents=True, exist_ok=True)
        (folder / "env.py").write_text((home_folder("orchestrator") / "env.py").read_text())
        for number, body in enumerate(bodies, start=1):
            previous = f'"{number - 1:04}"' if number > 1 else None
            text = f'"""Number {number}"""\nfrom alembic import op\nfrom migrations.configuration import document\n'
            text += f'revision, down_revision, compatible = "{number:04}", {previous}, True\n'
            (folder / "versions" / f"{number:04}_step.py").write_text(text + body)
        return str(folder)

    return make


def tables(url: str) -> dict[str, list[str]]:
    inspector = sa.inspect(connect(url))
    return {name: [column["name"] for column in inspector.get_columns(name)] for name in inspector.get_table_names()}


@pytest.mark.parametrize("home", HOMES)
def test_every_revision_goes_up_and_down_and_up_again(url: str, home: str) -> None:
    engine = connect(url)
    numbers = [one.revision for one in revisions.upgrade(home, engine)]
    there = tables(url)
    assert numbers == sorted(numbers)
    assert current(engine) == head(home) == numbers[-1]

    for number in reversed(["base", *numbers[:-1]]):
        revisions.downgrade(home, engine, number)
    assert set(tables(url)) == {"alembic_version"}
    assert revisions.upgrade(home, engine)[-1].revision == head(home)

    assert tables(url) == there
    assert revisions.pending(home, engine) == []


def test_a_third_revision_that_raises_leaves_nothing_of_the_first_two(url: str, home: Callable[..., str]) -> None:
    made = (
        'def upgrade():\n    op.execute("CREATE TABLE {0} (id INTEGER)")\ndef downgrade():\n    op.drop_table("{0}")\n'
    )
    fails = 'def upgrade():\n    op.execute("INSERT INTO one VALUES (1)")\n    1 / 0\n'
    folder = home(made.format("one"), made.format("two"), fails)
    engine = connect(url)

    with pytest.raises(ZeroDivisionError):
        revisions.upgrade(folder, engine)

    assert "one" not in tables(url)
    assert "two" not in tables(url)
    assert current(engine) is None
    assert [one.revision for one in revisions.pending(folder, engine)] == ["0001", "0002", "0003"]


CHANGES_BOTH = """
def upgrade():
    op.execute("CREATE TABLE one (id INTEGER)")
    document()["update"]["git"]["branch"] = "stable"
def downgrade():
    op.drop_table("one")
    document()["update"]["git"]["branch"] = "main"
"""


def test_a_revision_changes_the_configuration_file_with_the_database_and_back_comments_kept(
    url: str, home: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "control-panel-config.yaml"
    file.write_text(CONFIG)
    folder = home(CHANGES_BOTH)
    engine = connect(url)

    revisions.upgrade(folder, engine, configuration=file)
    upgraded = file.read_text()
    revisions.downgrade(folder, engine, "base", configuration=file)

    assert upgraded == CONFIG.replace("branch: main  ", "branch: stable")
    assert file.read_text() == CONFIG
    assert not list(tmp_path.glob(".control*"))


def test_a_revision_that_fails_leaves_the_configuration_file_as_it_was(
    url: str, home: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "control-panel-config.yaml"
    file.write_text(CONFIG)
    folder = home(CHANGES_BOTH, "def upgrade():\n    1 / 0\n")

    with pytest.raises(ZeroDivisionError):
        revisions.upgrade(folder, connect(url), configuration=file)

    assert file.read_text() == CONFIG
    assert not list(tmp_path.glob(".control*"))


CHANGES_DATABASE = 'def upgrade():\n    op.execute("CREATE TABLE zero (a INTEGER)")\n'
BROKEN_FILES = (b"<<<<<<< HEAD\na: b\n", b"\xff\xfe", b"a: [")


@pytest.mark.parametrize("content", BROKEN_FILES)
def test_a_configuration_file_that_is_not_valid_concerns_only_a_revision_that_changes_it(
    url: str, home: Callable[..., str], tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "control-panel-config.yaml"
    file.write_bytes(content)

    revisions.upgrade(home(CHANGES_DATABASE), connect(url), configuration=file)
    assert current(connect(url)) == "0001"

    with pytest.raises(configuration.CannotChange, match=r"control-panel-config.yaml must be changed .* Correct the"):
        revisions.upgrade(home(CHANGES_DATABASE, CHANGES_BOTH), connect(url), configuration=file)
    assert current(connect(url)) == "0001"
    assert file.read_bytes() == content


KILLED = """
import os, sys
from pathlib import Path
from migrations import revisions
from migrations.configuration import Configuration
from migrations.database import connect
home, url, file, moment = sys.argv[1:]
if moment == "after the commit":
    Configuration.put_in_place = lambda self: os._exit(9)
else:
    prepare = Configuration.prepare
    Configuration.prepare = lambda self, schema: (prepare(self, schema), os._exit(9))
revisions.upgrade(home, connect(url), configuration=Path(file))
"""


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_kill_between_database_and_configuration_file_is_finished_or_discarded_by_the_schema_of_the_database(
    url: str, home: Callable[..., str], tmp_path: Path, moment: str
) -> None:
    file = tmp_path / "control-panel-config.yaml"
    file.write_text(CONFIG)
    folder = home(CHANGES_BOTH)
    ended = subprocess.run([sys.executable, "-c", KILLED, folder, url, str(file), moment], cwd=ROOT)
    assert ended.returncode == 9
    assert file.read_text() == CONFIG

    engine = connect(url)
    configuration.finish_interrupted(file, current(engine))

    committed = moment == "after the commit"
    assert current(engine) == ("0001" if committed else None)
    assert ("branch: stable" in file.read_text()) is committed
    assert not list(tmp_path.glob(".control*"))


def test_an_edit_between_database_and_configuration_file_is_never_written_over(
    url: str, home: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "control-panel-config.yaml"
    file.write_text(CONFIG)
    folder = home(CHANGES_BOTH)
    subprocess.run([sys.executable, "-c", KILLED, folder, url, str(file), "after the commit"], cwd=ROOT, check=False)
    file.write_text(CONFIG + "# mine\n")

    with pytest.raises(configuration.CannotChange, match="was edited during"):
        configuration.finish_interrupted(file, current(connect(url)))

    assert file.read_text().endswith("# mine\n")
    assert len(list(tmp_path.glob(".control*"))) == 1


def test_a_revision_that_changes_a_file_that_cannot_be_written_changes_nothing(
    url: str, home: Callable[..., str], tmp_path: Path
) -> None:
    folder = home(CHANGES_BOTH.replace('document()["update"]["git"]["branch"]', 'document()["update"]'))
    missing = tmp_path / "nowhere" / "control-panel-config.yaml"

    with pytest.raises(configuration.CannotChange, match="cannot be written"):
        revisions.upgrade(folder, connect(url), configuration=missing)

    assert current(connect(url)) is None


def test_the_command_reports_each_revision_and_says_where_there_is_no_way(url: str) -> None:
    environment = {**os.environ, "PANEL_DATABASE_URL": url}

    def migrations(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "migrations", "panel", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    before = migrations("status")
    done = migrations("upgrade")
    with connect(url).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    newer = migrations("status")

    assert 'changeover: {"revision": "0001", "previous": "base", "compatible": true' in before.stdout
    assert 'changeover: {"revision": "0001"' in done.stdout
    assert newer.returncode == 1
    assert "no path from schema revision 9999" in newer.stderr


def deployment(**changes: object) -> Deployment:
    moment = now()
    values: dict[str, object] = {
        "id": "abc", "app": "shop", "kind": Kind.DEPLOY, "state": State.LIVE, "requested_by": "me",
        "requested_at": moment, "ref": "main", "started_at": moment, "live_at": moment, "ended_at": moment,
        "release": Release("v1", "f" * 40, "sha256:1"), "colour": Colour.BLUE, "container": "c-1",
        "address": "10.0.0.9", "port": 8000, "changes": (Change("1" * 40, "feat", "ui", "größer", True),),
        "pending": (SchemaRevision("0002", "0001", False, "Sold by"),), "migrate": True, "backup": "20260101",
        "paused_at": moment, "resumed_at": moment + timedelta(seconds=2),
        "failure": Failure(StepName.VERIFY, "why", "tip", ("a", "b"), 1, True, ("undone",)),
    }  # fmt: skip
    return Deployment(**values | changes)  # type: ignore[arg-type]


def test_an_event_whose_record_is_refused_is_in_no_database(url: str) -> None:
    journal = Journal(url)
    journal.add(deployment())
    told = [NewEvent(EventKind.STEP, "shop", "abc", {"step": "build"})]

    def refused() -> None:
        journal.step_started("abc", StepName.BUILD)
        raise JournalError("The record is refused.", "Correct it.")

    with pytest.raises(JournalError):
        journal.append_events(told, refused)
    assert (Journal(url).events(), Journal(url).deployment("abc").steps) == ([], ())

    journal.append_events(told, lambda: journal.step_started("abc", StepName.BUILD))

    again = Journal(url)
    assert len(again.events()) == len(again.deployment("abc").steps) == 1


def test_the_journal_gives_back_what_it_was_told(url: str) -> None:
    journal = Journal(url)
    told = journal.add(deployment(), idempotency_key="key")
    journal.add(deployment(id="def", container="", pending=None, failure=None, release=None))
    journal.step_started("abc", StepName.BUILD)
    journal.step_ended("abc", StepName.BUILD, StepState.DONE, "noted")
    journal.save_switch("shop", Slots("abc", "def"), told)
    events = [
        NewEvent(EventKind.LINE, "shop", "abc", {"line": "ü"}),
        NewEvent(EventKind.LIVE, "shop", "abc", {"seconds": 1.5}),
    ]
    journal.append_events(events)
    run = journal.migration_started("shop", "abc", Direction.UP, told.pending or (), as_of=told.live_at)
    journal.migration_ended(run, Outcome.DONE, told.pending or (), "note")
    journal.add_token("ci", "secret", Scope.DEPLOY)
    journal.audit("ci", "127.0.0.1", "POST /", "shop")

    again = Journal(url)

    read = again.deployment("abc")
    assert read.steps[0].note == "noted"
    assert Deployment(**{**vars(read), "steps": ()}) == told
    assert again.with_key("shop", "key") == read
    assert again.slots("shop") == Slots("abc", "def")
    found = again.events(deployment_id="abc")
    assert [NewEvent(EventKind(one.kind), one.app, one.deployment, one.fields) for one in found] == events
    assert again.last_event_id() == found[-1].id
    (migration,) = again.migrations("shop")
    assert (migration.revisions, migration.outcome, migration.as_of) == (told.pending, Outcome.DONE, told.live_at)
    assert [one.name for one in again.tokens()] == ["ci"]
    assert again.revoke_token("ci")

    assert again.maker_of("c-1").id == "abc"


def test_a_journal_of_before_is_brought_up_to_date_with_all_that_it_knows(url: str) -> None:
    engine = connect(url)
    revisions.upgrade("orchestrator", engine, "0001")
    row = (
        "INSERT INTO deployments (id, app, kind, state, requested_by, requested_at, ref, container, address, port, "
        "previous, changes) "
        "VALUES ('new', 'shop', 'deploy', 'live', 'me', '2026-01-02 00:00:00', '', 'c', '', 1, '', '[]'), "
        "('old', 'shop', 'deploy', 'live', 'me', '2026-01-01 00:00:00', '', 'c', '', 1, '', '[]')"
    )
    with engine.begin() as connection:
        connection.exec_driver_sql(row)

    journal = Journal(url)

    assert journal.deployment("old").pending is None
    assert journal.deployment("old").migrate is False
    assert [one.id for one in journal.deployments("shop")] == ["new", "old"]
    assert journal.add(deployment(id="newest")).number == 3
    (run,) = journal.migrations(OWN)
    assert (run.revisions[0].previous, run.revisions[-1].revision) == ("0001", head("orchestrator"))
    assert run.outcome is Outcome.DONE


def orchestrator(folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """One that is not meant to come up."""
    environment = {
        **os.environ,
        "CHANGEOVER_DATABASE_URL": url,
        "CHANGEOVER_CONFIG": str(folder / "control-panel-config.yaml"),
        **{f"CHANGEOVER_{name}": str(folder / name.lower()) for name in ("STATE", "PROXY", "TOKEN_FOLDER")},
    }
    command = [sys.executable, "-m", "orchestrator"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_a_journal_of_a_newer_changeover_is_left_alone_and_said_so(url: str, tmp_path: Path) -> None:
    Journal(url)
    with connect(url).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    ended = orchestrator(tmp_path, url)

    assert ended.returncode == 2
    assert "has schema revision 9999" in ended.stderr
    assert "Start the newer version of Changeover again" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert current(connect(url)) == "9999"


def test_the_panel_finds_the_session_that_it_saved(url: str) -> None:
    revisions.upgrade("panel", connect(url))
    store = Store(url)
    state = SessionState(release="v1", selected="shop")

    store.save("one", state)
    store.save("one", state)

    assert store.at_head()
    assert store.load("one").state == state
    assert store.load("two").state is None
