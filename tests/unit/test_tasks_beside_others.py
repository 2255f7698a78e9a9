"""Where several tasks share a fate, one item's defect ends the others: each such place says why that is right."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ONE_PIECE_OF_WORK = {
    "orchestrator/api/metrics.py: metrics": "the health board answers by itself, also for an app that it does not know",
    "orchestrator/api/status.py: list_apps": "a defect in an app's view is shown as a trouble of that app (Defects)",
    "panel/console/answers/deployments.py: _each": "what one command asks of each app; an error is its answer",
    "orchestrator/deploy/scheduler.py: stop": "an app's lane waits for the end of its tasks, whatever that is",
    "orchestrator/doctor/checks.py: examine": "a defect at an app is a finding of that app (_app_or_defect)",
    "orchestrator/engine/relay.py: _connected": "the two directions of one connection",
    "orchestrator/host/child_process.py: run": "input and output of one process",
    "orchestrator/host/child_process.py: _end": "the outputs of one process",
    "orchestrator/host/child_process.py: _read_both": "the outputs of one process",
    "orchestrator/host/at_once.py: at_once": "whoever calls it has one piece of work, which needs all of its parts",
    "orchestrator/notices/courier.py: keep_going": "the queues of rounds; a defect is raised where a send waits",
    "orchestrator/package_image/reach.py: pass_on": "the two directions of one connection",
    "orchestrator/package_image/reach.py: relay": "the two directions of one connection",
    "orchestrator/sources/lfs_download.py: _write": "the files of one fetch, which needs all of them",
    "panel/web/process.py: end": "the outputs of one process, and its end",
    "panel/web/prewarmed.py: end": "the panel ends: each is a process that is ended, and tells its own errors",
}


def places() -> set[str]:
    """`file: function` of each TaskGroup, and of each gather that raises what one of its tasks raises."""
    found = set()
    for folder in (ROOT / "orchestrator", ROOT / "panel"):
        for file in folder.rglob("*.py"):
            tree = ast.parse(file.read_text())
            for function in (one for one in ast.walk(tree) if isinstance(one, ast.AsyncFunctionDef | ast.FunctionDef)):
                if any(_shares_a_fate(one) for one in ast.walk(function)):
                    found.add(f"{file.relative_to(folder.parent)}: {function.name}")
    return found


def _shares_a_fate(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    given = {one.arg: one.value for one in node.keywords}
    keeps = given.get("return_exceptions")
    return name == "TaskGroup" or (name == "gather" and not (isinstance(keeps, ast.Constant) and keeps.value is True))


def test_only_parts_of_one_piece_of_work_end_together() -> None:
    """Items that have nothing to do with one another are tasks of a supervisor each."""
    assert places() == set(ONE_PIECE_OF_WORK)
