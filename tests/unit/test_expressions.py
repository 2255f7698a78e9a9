"""No regular expression that meets foreign text takes a time that grows with the square of its length.

A commit message, a changelog, a header or a line of a build is as long as a stranger likes; an expression that takes
0.3 s for 6,000 characters takes minutes for a megabyte, and nothing else is answered meanwhile.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import border
import orchestrator
from orchestrator.sources.dependencies.tree import MOST_OF_NAME

ROOMS = ("config", "deploy", "domain", "engine", "host", "notices", "pushes", "reports", "sources", "updates")
NOT_LOADED = ("orchestrator.notices.deliver",)
"""It loads Apprise, which belongs into a process of its own."""
FEW, MANY = 1000, 4000
"""Characters."""
LIMITED = {"orchestrator.sources.dependencies.tree.READERS[0]": MOST_OF_NAME}
"""So many characters meet an expression at most, because they are counted before."""
LEAST_S = 0.004
"""Nothing that is linear takes so long for so many characters."""
UNITS = [
    *":a1 -.#*`[](<'\"/@=|,\t\n~^_+!", "a ", " a", "a:", ":a", "1.", ".1", "v1.", "a.", "a/", "-1", "-a", "[a", "](",
    "`a", "<a", "**", "a=", "ab1", "0a", "a-", "a@", "://", "a://", "[a](", "`a <", "a,", "a;", "''", "\\", "\\a",
    "%41", "&", "This reverts commit ", "Revert \"", "feat(", "(#1", "x.reqs-", "repository '", "certificateverif",
]  # fmt: skip
"""What is repeated."""
METHODS = ("match", "fullmatch", "search", "sub", "finditer", "findall", "split")
IN_LOOPS = {"orchestrator.sources.dependencies.tree.READERS": {"fullmatch"}}
"""Lists of expressions that are used by the name of a loop's variable. Others are taken for the slowest uses."""


def used_methods() -> dict[str, set[str]]:
    """By the names of expressions: the methods by which they are used, wherever that is."""
    root, found = Path(border.__file__).parents[1], dict[str, set[str]]()
    call = re.compile(rf"\b(\w+)\.({'|'.join(METHODS)})\(")
    for folder in ("border", "orchestrator"):
        for path in (root / folder).rglob("*.py"):
            for name, method in call.findall(path.read_text()):
                found.setdefault(name, set()).add(method)
    return found


def modules() -> Iterator[str]:
    packages = [border.__name__, *(f"{orchestrator.__name__}.{room}" for room in ROOMS)]
    for package in map(importlib.import_module, packages):
        yield package.__name__
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.endswith("__main__") and info.name not in NOT_LOADED:
                yield info.name


def expressions() -> Iterator[tuple[str, re.Pattern[str], tuple[str, ...]]]:
    """Each with its name, and the methods by which it is used. One that is imported elsewhere is named once."""
    used, seen = used_methods(), set[tuple[str, int, tuple[str, ...]]]()
    for module in modules():
        for name, value in vars(importlib.import_module(module)).items():
            for at, pattern in enumerate(patterns_in(value)):
                methods = IN_LOOPS.get(f"{module}.{name}") or used.get(name, {"search", "sub"})
                one = pattern.pattern, pattern.flags, tuple(sorted(methods))
                if one not in seen:
                    seen.add(one)
                    yield f"{module}.{name}[{at}]", pattern, one[2]


def patterns_in(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from patterns_in(one)
    elif isinstance(value, dict):
        yield from patterns_in([*value.keys(), *value.values()])


EVERY = {name: (pattern, used) for name, pattern, used in expressions()}


def seconds(pattern: re.Pattern[str], method: str, text: str, times: int = 1) -> float:
    """Of a processor, the least of so many times."""
    best = float("inf")
    for _ in range(times):
        began = time.process_time()
        found = pattern.sub("", text) if method == "sub" else getattr(pattern, method)(text)
        if method == "finditer":
            for _one in found:
                pass
        best = min(best, time.process_time() - began)
    return best


def grows_with_the_square(pattern: re.Pattern[str], method: str, unit: str, most: int = MANY) -> bool:
    for end in ("", "\0"):
        short, long = (unit * (length // len(unit)) + end for length in (min(FEW, most), most))
        if seconds(pattern, method, short) < LEAST_S and seconds(pattern, method, long) < LEAST_S:
            continue
        few, many = (seconds(pattern, method, text, 3) for text in (short, long))
        if many > 10 * few:
            return True
    return False


def test_the_expressions_are_found() -> None:
    assert len(EVERY) > 120
    assert "orchestrator.sources.changelog._HEADER[0]" in EVERY


def test_one_that_grows_is_noticed() -> None:
    assert grows_with_the_square(re.compile(r":[a-zA-Z:]+:`~?([^`<]+)`"), "sub", ":a")
    assert not grows_with_the_square(re.compile(r"(?<![:a-zA-Z]):[a-zA-Z:]+:`~?([^`<]+)`"), "sub", ":a")


@pytest.mark.parametrize("name", EVERY)
def test_no_expression_takes_a_time_that_grows_with_the_square(name: str) -> None:
    pattern, used = EVERY[name]

    most = LIMITED.get(name, MANY)
    grows = [(method, unit) for method in used for unit in UNITS if grows_with_the_square(pattern, method, unit, most)]

    assert grows == [], pattern.pattern
