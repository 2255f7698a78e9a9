"""Who imports whom: no circle, no higher layer, and panel and orchestrator know each other by HTTP only."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("border", "orchestrator", "panel", "migrations", "http_limits")
MOST_LINES = 300
MOST_FILES_AT_THE_ROOT = 8


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def folders(*packages: str) -> list[Path]:
    """Those with modules: a test for each module would take longer than to look at all of them."""
    return sorted({file.parent for package in packages for file in files(package)})


def modules_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.py"))


def place(folder: Path) -> str:
    return ".".join(folder.relative_to(ROOT).parts)


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> frozenset[str]:
    return frozenset(name_of(file) for package in PACKAGES for file in files(package))


@cache
def imports_of(file: Path) -> frozenset[str]:
    """Modules of the project, and names of other top-level packages, that a file imports at any place in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports are absolute"
            module = node.module or ""
            submodules = {f"{module}.{alias.name}" for alias in node.names} & modules()
            found |= submodules or {module}
    return frozenset(found)


@cache
def layers() -> list[set[str]]:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = re.search(r"```layers\n(.*?)```", text, re.DOTALL)
    assert block, "docs/architecture.md has no list of layers"
    return [set(line.split()) for line in block[1].splitlines()]


def room_of(module: str) -> str:
    """`orchestrator.deploy.steps.fetch` is in the room `deploy`."""
    return module.split(".")[1]


def test_every_room_of_the_orchestrator_stands_in_one_layer() -> None:
    rooms = {room_of(name) for name in modules() if name.startswith("orchestrator.")}
    listed = [room for layer in layers() for room in layer]

    assert sorted(listed) == sorted(rooms)


@pytest.mark.parametrize("folder", folders("orchestrator"), ids=place)
def test_nothing_is_imported_from_a_higher_layer_nor_from_beside(folder: Path) -> None:
    level = {room: number for number, layer in enumerate(layers()) for room in layer}

    for file in modules_in(folder):
        if file == ROOT / "orchestrator" / "__init__.py":
            continue
        mine = room_of(name_of(file))
        for module in imports_of(file):
            if module.startswith("orchestrator.") and room_of(module) != mine:
                assert level[room_of(module)] < level[mine], f"{name_of(file)} imports {module}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name_of(file): imports_of(file) & modules() for package in PACKAGES for file in files(package)}

    try:
        TopologicalSorter({name: found - {name} for name, found in graph.items()}).prepare()
    except CycleError as error:
        raise AssertionError(f"circle: {' -> '.join(error.args[1])}") from error


@pytest.mark.parametrize("folder", folders(*PACKAGES), ids=place)
def test_panel_and_orchestrator_know_each_other_by_http_only(folder: Path) -> None:
    mine = place(folder).split(".")[0]
    others = {
        "border": {"orchestrator", "panel", "migrations", "http_limits"},
        "panel": {"orchestrator"},
        "orchestrator": {"panel"},
        "migrations": {"panel", "orchestrator"},
        "http_limits": {"border", "panel", "orchestrator", "migrations"},
    }[mine]

    for file in modules_in(folder):
        assert {module.split(".")[0] for module in imports_of(file)} & others == set(), name_of(file)


WITHIN_SIDECARS = ("orchestrator.backup_sidecar", "orchestrator.files")


@pytest.mark.parametrize("folder", folders("orchestrator/backup_sidecar", "orchestrator/files"), ids=place)
def test_what_runs_inside_sidecars_imports_the_standard_library_alone(folder: Path) -> None:
    foreign = {
        module
        for file in modules_in(folder)
        for module in imports_of(file)
        if module.split(".")[0] not in sys.stdlib_module_names and not module.startswith(WITHIN_SIDECARS)
    }

    # Types alone, for mypy; nothing of it is imported when the code runs.
    assert foreign <= {"_typeshed"}


@pytest.mark.parametrize("folder", folders(*PACKAGES), ids=place)
def test_apprise_is_loaded_by_the_child_process_alone_that_sends_notices(folder: Path) -> None:
    """With all its services it takes as much memory as the orchestrator itself."""
    for file in modules_in(folder):
        named = {module.split(".")[0] for module in imports_of(file)} & {"apprise"}
        assert "orchestrator.notices.deliver" not in imports_of(file), name_of(file)
        assert not named or name_of(file) == "orchestrator.notices.deliver", name_of(file)


def test_the_domain_imports_nothing_of_the_project_but_itself() -> None:
    imported = {module for file in files("orchestrator/domain") for module in imports_of(file)}
    own = {module for module in imported if module.split(".")[0] in PACKAGES}

    assert all(module.startswith("orchestrator.domain") for module in own)


@pytest.mark.parametrize("folder", folders("orchestrator"), ids=place)
def test_only_its_own_folder_and_the_wiring_name_the_home_of_a_protocol(folder: Path) -> None:
    homes = {
        "orchestrator.engine.docker": {"orchestrator.engine.docker", "orchestrator.server"},
        "orchestrator.sources.git": {"orchestrator.sources"},
        "orchestrator.proxy.haproxy": {"orchestrator.proxy", "orchestrator.server"},
    }

    for file in modules_in(folder):
        for home, allowed in homes.items():
            named = [module for module in imports_of(file) if module == home or module.startswith(f"{home}.")]
            assert not named or name_of(file).startswith(tuple(allowed)), f"{name_of(file)} names {named}"


@pytest.mark.parametrize("folder", folders(*PACKAGES), ids=place)
def test_a_file_is_one_noun_or_verb_and_has_at_most_300_lines(folder: Path) -> None:
    for file in modules_in(folder):
        lines = len(file.read_text(encoding="utf-8").splitlines())
        assert lines <= MOST_LINES, f"{name_of(file)} has {lines} lines: look for its second noun"
        assert not file.stem.endswith("ing"), f"{name_of(file)} is named by a gerund: which noun is it?"
        assert file.stem not in {"utils", "helpers", "common", "manager"}, name_of(file)


def test_the_root_of_the_orchestrator_has_at_most_eight_files() -> None:
    assert len(list((ROOT / "orchestrator").glob("*.py"))) <= MOST_FILES_AT_THE_ROOT
