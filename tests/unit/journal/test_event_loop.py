"""The journal is asked beside the event loop."""

from __future__ import annotations

import ast
import asyncio
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from orchestrator.access.audit import AuditLog
from orchestrator.domain.deployment import Slots, StepName, StepState
from orchestrator.errors import JournalError
from orchestrator.journal.database import THREADS
from orchestrator.journal.store import Journal
from tests.component.test_journal import deployment
from tests.support.paths import ROOT

IN_MEMORY = {
    "versions",
    "deployment",
    "slots",
    "migrations",
    "attempts",
    "unsettled",
    "mute",
    "live_since",
    "backend",
    "beside",
}
"""What may be called on the event loop: it is kept in memory."""
IN_A_THREAD = {
    "orchestrator/__main__.py",  # opens it in a thread, before the API's event loop runs
    "orchestrator/access/new_token.py",  # a process of its own, without an event loop
    "orchestrator/access/tokens.py",  # its callers call it by `beside`, or before the loop runs
    "orchestrator/api/deployment_view.py",  # the same
    "orchestrator/deploy/request.py",  # the same
    "orchestrator/server.py",  # closes the journal at its end
}


GIVEN_TO_BESIDE = {
    ("orchestrator/access/gate.py", "_find"),
    ("orchestrator/access/gate.py", "_find_again"),
    ("orchestrator/alerts/keeper.py", "_make"),
    ("orchestrator/apps/deployed_values.py", "_look"),
}
"""Methods that are given to `beside`, and may therefore ask the journal."""


class DirectCalls(ast.NodeVisitor):
    """Finds calls of the journal that are neither in memory nor given to `beside`, with their line."""

    def __init__(self, path: str) -> None:
        self.found: list[str] = []
        self._path = path
        self._functions: list[ast.AST] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        # One inside of another function is given to `beside`.
        if not self._functions and (self._path, node.name) not in GIVEN_TO_BESIDE:
            self._inside(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inside(node)

    def visit_Call(self, node: ast.Call) -> None:
        if not isinstance(node.func, ast.Attribute):
            self.generic_visit(node)
            return
        owner = node.func.value
        name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
        is_journal = name.strip("_") == "journal"
        if is_journal and node.func.attr not in IN_MEMORY:
            self.found.append(f"line {node.lineno}: {node.func.attr}")
        for part in ast.iter_child_nodes(node):
            if not (is_journal and node.func.attr == "beside" and isinstance(part, ast.Lambda)):
                self.visit(part)

    def _inside(self, function: ast.AST) -> None:
        self._functions.append(function)
        self.generic_visit(function)
        self._functions.pop()


@pytest.mark.parametrize(
    "file", sorted((ROOT / "orchestrator").rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT))
)
def test_nothing_asks_the_database_on_the_event_loop(file: Path) -> None:
    path = str(file.relative_to(ROOT))
    if path.startswith("orchestrator/journal/") or path in IN_A_THREAD:
        return
    calls = DirectCalls(path)

    calls.visit(ast.parse(file.read_text(encoding="utf-8")))

    assert calls.found == [], "call it by `await journal.beside(journal.query, …)`"


@pytest.fixture
def threaded(empty_journal: Path, tmp_path: Path) -> Iterator[Journal]:
    """The journal as the orchestrator has it, with its threads."""
    shutil.copy(empty_journal, tmp_path / "threaded.db")
    found = Journal(f"sqlite:///{tmp_path / 'threaded.db'}")
    yield found
    found.close()


async def test_the_event_loop_goes_on_while_the_database_is_silent(threaded: Journal) -> None:
    asked = asyncio.create_task(threaded.beside(time.sleep, 0.3))
    turns = 0
    while not asked.done():
        await asyncio.sleep(0.01)
        turns += 1

    assert turns >= 5


async def test_a_query_that_finds_no_thread_in_time_fails(threaded: Journal) -> None:
    threaded.answer_within_s = 0.1
    answers = threading.Event()
    silent = [asyncio.create_task(threaded.beside(answers.wait)) for _ in range(THREADS)]
    late = asyncio.create_task(threaded.beside(threaded.unfinished))
    await asyncio.sleep(0.3)
    answers.set()

    with pytest.raises(JournalError, match="did not answer within"):
        await late
    await asyncio.gather(*silent)


async def test_a_write_that_waits_for_others_to_a_silent_database_fails_in_time(threaded: Journal) -> None:
    """Each of the threads waited for the time limits of all before it, one after the other."""
    threaded.answer_within_s = 0.1
    with threaded._turn:
        async with asyncio.timeout(10):
            with pytest.raises(JournalError, match="did not answer within"):
                await threaded.beside(threaded.step_started, "d1", StepName.BUILD)


async def test_an_audit_log_whose_database_is_silent_keeps_no_other_work_from_its_thread(threaded: Journal) -> None:
    """Requests without a token were enough: what removes folders and reads the configuration waited for the journal."""
    threaded.answer_within_s = 0.5
    audit = AuditLog(threaded)
    with threaded._turn:
        refused = [asyncio.create_task(audit.refused("", "", "POST", "shop", 401, "no token")) for _ in range(120)]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(5):
            await asyncio.to_thread(lambda: None)
        results = await asyncio.gather(*refused, return_exceptions=True)

    assert all(isinstance(one, JournalError) for one in results)


def test_what_is_kept_in_memory_is_what_the_database_has(journal: Journal) -> None:
    journal.add(deployment(1))
    journal.deployment("d1")
    journal.step_started("d1", StepName.BUILD)
    journal.step_ended("d1", StepName.BUILD, StepState.DONE, "a note")

    assert journal.deployment("d1") == journal.recorded("d1")
    assert [step.note for step in journal.deployment("d1").steps] == ["a note"]


KEPT: dict[str, Callable[[Journal], object]] = {
    "deployment": lambda journal: journal.deployment("d1"),
    "slots": lambda journal: journal.slots("shop"),
    "slots of an app without": lambda journal: journal.slots("blog"),
    "migrations": lambda journal: journal.migrations("shop"),
    "attempts": lambda journal: journal.attempts("shop"),
    "unsettled": lambda journal: journal.unsettled("shop"),
    "live_since": lambda journal: journal.live_since("test-shop"),
}


@pytest.mark.parametrize("name", KEPT)
def test_after_a_write_that_failed_the_next_one_reads_again_what_is_kept_in_memory(
    journal: Journal, tmp_path: Path, name: str
) -> None:
    """It only emptied it: the event loop read the database then, and waited for it when it was silent once more."""
    journal.add(deployment(1))
    journal.save_switch("shop", Slots("d1"))
    for ask in KEPT.values():
        ask(journal)
    with pytest.raises(JournalError), journal._writing():
        raise JournalError("The database is away. It has committed nevertheless:", "Wait.")
    with closing(sqlite3.connect(tmp_path / "journal.db")) as database:
        database.execute("UPDATE slots SET standby = 'd0'")
        database.execute("UPDATE deployments SET state = 'live', live_at = '2026-01-01', container = 'test-shop'")
        database.execute("INSERT INTO unsettled VALUES ('shop', 'd1', '2026-01-01', 'It is half done.', '', '')")
        database.execute(
            "INSERT INTO migrations (app, deployment, direction, outcome, revisions, started_at, note) "
            "VALUES ('shop', 'd1', 'up', 'done', '[]', '2026-01-01', '')"
        )
        database.commit()
    journal.append_events([])
    journal.step_started("d1", StepName.BUILD)
    statements: list[str] = []
    sa.event.listen(journal._engine, "before_cursor_execute", lambda *asked: statements.append(asked[2]))

    found = KEPT[name](journal)

    assert statements == []
    assert found == KEPT[name](Journal(f"sqlite:///{tmp_path / 'journal.db'}"))
