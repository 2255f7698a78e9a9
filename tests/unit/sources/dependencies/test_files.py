"""What each kind of requirement and lock file says of the packages that a release needs."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.sources.dependencies.needs import MOST_CHARACTERS, differences, versions_of
from orchestrator.sources.dependencies.tree import MOST_FILES, READERS, needs_of, reader_of
from tests.support.hostile import forbidden_in, hostile_text

REQUIREMENTS = """
# of the shop
--index-url https://index.example.com/simple
-r base.txt
-c constraints.txt
Flask[async]==3.0.1 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via -r requirements.in
httpx>=0.27,<1 ; python_version > "3.8"  # a client
Some_Thing === 1.0-x
star == 2.*
any
-e git+https://me:secret@git.example.com/x.git@v1.2#egg=editable
git+ssh://git@git.example.com/y.git@4d1f0a2#egg=vcs&subdirectory=z
named @ https://me:secret@example.com/named-3.1.tar.gz
https://example.com/Of_Wheel-1.2.0-py3-none-any.whl
./a/folder
-e .
not a requirement !
"""
PYPROJECT = """
[project]
name = "shop"
requires-python = ">=3.9"
dependencies = ["httpx>=0.27", "typer[all]==0.12 ; os_name == 'posix'", 5]
[project.optional-dependencies]
dev = ["pytest>=8"]
[dependency-groups]
lint = ["ruff==0.4", {include-group = "dev"}]
"""
POETRY = """
[tool.poetry.dependencies]
python = "^3.10"
requests = "^2.31"
any = "*"
pg = {version = ">=3", extras = ["binary"]}
mine = {git = "https://me:secret@git.example.com/mine.git"}
two = [{version = "<2", python = "<3.11"}, {version = ">=2"}]
[tool.poetry.group.dev.dependencies]
black = "24.1"
"""
UV = """
version = 1
[[package]]
name = "shop"
version = "0.1.0"
source = { editable = "." }
[[package]]
name = "Sniff_IO"
version = "1.3.1"
source = { registry = "https://index.example.com/simple" }
[[package]]
name = "numpy"
version = "1.26"
[[package]]
name = "numpy"
version = "2.1"
"""
PYLOCK = """
lock-version = "1.0"
created-by = "a tool"
[[packages]]
name = "attrs"
version = "25.1.0"
wheels = [{name = "attrs-25.1.0-py3-none-any.whl", url = "https://e.com/a.whl", hashes = {sha256 = "ab"}}]
[[packages]]
name = "shop"
directory = {path = "."}
"""
LOCK_1 = {
    "lockfileVersion": 1,
    "dependencies": {
        "a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0"}}},
        "b": {"version": "1.0.0"},
    },
}
LOCK_3 = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "shop", "version": "9.9.9", "dependencies": {"a": "^1"}},
        "node_modules/a": {"version": "1.0.0"},
        "node_modules/a/node_modules/@s/b": {"version": "2.0.0"},
        "node_modules/alias": {"version": "3.0.0", "name": "real"},
        "node_modules/mine": {"resolved": "packages/mine", "link": True},
        "packages/mine": {"version": "0.0.1"},
    },
}
PIPFILE = {"default": {"Flask": {"version": "==3.0"}}, "develop": {"pytest": {"version": "==8.1"}}}


def read(name: str, text: str) -> Mapping[str, str]:
    reader = reader_of(name)
    assert reader, name
    return {package: version for (_, package), version in versions_of(reader(text).needs).items()}


@pytest.mark.parametrize(
    ("name", "text", "needs"),
    [
        (
            "requirements.txt",
            REQUIREMENTS,
            {
                "flask": "3.0.1", "httpx": "<1,>=0.27", "some-thing": "1.0-x", "star": "==2.*", "any": "any version",
                "editable": "git+https://git.example.com/x.git@v1.2", "vcs": "git+ssh://git.example.com/y.git@4d1f0a2",
                "named": "https://example.com/named-3.1.tar.gz", "of-wheel": "1.2.0",
            },
        ),
        (
            "pyproject.toml", PYPROJECT,
            {"python": ">=3.9", "httpx": ">=0.27", "typer": "0.12", "pytest": ">=8", "ruff": "0.4"},
        ),
        (
            "pyproject.toml", POETRY,
            {"python": "^3.10", "requests": "^2.31", "any": "any version", "pg": ">=3", "two": "<2, >=2",
             "mine": "https://git.example.com/mine.git", "black": "24.1"},
        ),
        ("uv.lock", UV, {"sniff-io": "1.3.1", "numpy": "1.26, 2.1"}),
        ("poetry.lock", '[[package]]\nname = "a"\nversion = "1"\n', {"a": "1"}),
        ("pylock.toml", PYLOCK, {"attrs": "25.1.0"}),
        ("pylock.dev.toml", PYLOCK.replace("lock-version", "x"), {"attrs": "25.1.0"}),
        ("package-lock.json", json.dumps(LOCK_1), {"a": "1.0.0", "b": "1.0.0, 2.0.0"}),
        ("package-lock.json", json.dumps(LOCK_3 | {"lockfileVersion": 2}),
         {"a": "1.0.0", "@s/b": "2.0.0", "real": "3.0.0"}),
        ("npm-shrinkwrap.json", json.dumps(LOCK_3), {"a": "1.0.0", "@s/b": "2.0.0", "real": "3.0.0"}),
        ("package.json", json.dumps({"dependencies": {"a": "^1", "odd": 5}, "devDependencies": {"b": "~2"}}),
         {"a": "^1", "b": "~2"}),
        ("Pipfile.lock", json.dumps(PIPFILE), {"flask": "3.0", "pytest": "8.1"}),
    ],
)  # fmt: skip
def test_a_file_names_the_packages_that_a_release_needs(name: str, text: str, needs: dict[str, str]) -> None:
    assert read(name, text) == needs


@pytest.mark.parametrize(
    "path",
    ["requirements.txt", "requirements-dev.txt", "dev-requirements.txt", "requirements/prod.txt", "a/b/uv.lock",
     "web/package-lock.json", "pylock.gpu.toml", "requirements_x.txt"],
)  # fmt: skip
def test_files_of_an_app_are_read(path: str) -> None:
    assert reader_of(path)


@pytest.mark.parametrize(
    "path",
    ["readme.txt", "node_modules/a/package.json", "web/node_modules/a/package.json", "tests/requirements.txt",
     "a/b/c/d/uv.lock", "myuv.lock", "requirements.txt.bak", "docs/requirements.txt", "requirements/readme.md"],
)  # fmt: skip
def test_other_files_are_not_read(path: str) -> None:
    assert reader_of(path) is None


def test_what_a_file_includes_is_read_once_and_only_within_the_tree() -> None:
    files = {
        "requirements.txt": "-r reqs/base\n-r ../secret.txt\n-r /etc/passwd\n-r https://example.com/x.txt\nb==2\n",
        "reqs/base": "-r ../requirements.txt\n--requirement=more.list\na==1\n",
        "reqs/more.list": "c==3\n-r base\n",
    }
    asked: list[str] = []

    def content(path: str) -> str | None:
        asked.append(path)
        return files.get(path)

    needs, unreadable = needs_of(files, content)

    assert {need.name for need in needs} == {"a", "b", "c"}
    assert (sorted(asked), unreadable) == (sorted(files), [])


def test_files_without_end_are_not_all_read_and_those_left_are_said() -> None:
    paths = [f"app{number}/requirements.txt" for number in range(MOST_FILES + 3)]
    needs, unreadable = needs_of(paths, lambda path: f"{path.partition('/')[0]}==1")

    assert (len(needs), len(unreadable)) == (MOST_FILES, 3)


def test_only_what_differs_is_listed_and_a_lock_file_is_believed_before_a_range() -> None:
    before = {"pyproject.toml": '[project]\ndependencies = ["a>=1", "same>=2"]\n', "requirements.txt": "gone==1\n"}
    after = {
        "pyproject.toml": '[project]\ndependencies = ["a>=1.1", "same>=2"]\n',
        "uv.lock": '[[package]]\nname = "a"\nversion = "1.5"\n[[package]]\nname = "new"\nversion = "0.1"\n',
    }

    found = differences(*(versions_of(needs_of(files, files.get)[0]) for files in (before, after)))

    assert [(one["name"], one["before"], one["after"]) for one in found] == [
        ("a", ">=1", "1.5"), ("gone", "1", ""), ("new", "", "0.1"),
    ]  # fmt: skip


def test_a_requirement_file_that_only_got_another_name_changes_nothing() -> None:
    old = versions_of(needs_of(["requirements.txt"], lambda _: "a==1")[0])
    new = versions_of(needs_of(["uv.lock"], lambda _: '[[package]]\nname = "a"\nversion = "1"')[0])

    assert differences(old, new) == []


NAMES = [
    "requirements.txt", "pyproject.toml", "uv.lock", "pylock.toml", "package.json", "package-lock.json", "Pipfile.lock",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile_text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["dependencies", "packages", "version", "name", "default", "node_modules/a", "", "x"]) , inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


def test_every_reader_is_tried_with_odd_content() -> None:
    assert {reader_of(name) for name in NAMES} == {read for _, read in READERS}


@pytest.mark.parametrize("name", NAMES)
@given(text=hostile_text() | JSON.map(json.dumps) | st.binary().map(lambda content: content.decode(errors="replace")))
def test_odd_content_is_unreadable_or_read_and_nothing_else(name: str, text: str) -> None:
    needs, unreadable = needs_of([name], lambda _: text)

    assert unreadable in ([], [name])
    for need in needs:
        assert len(need.name) <= MOST_CHARACTERS
        assert len(need.version) <= MOST_CHARACTERS
        assert forbidden_in(need.name + need.version) == set()
    assert versions_of(needs) is not None


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "a = " + "[" * 100_000, "x" * 1_000_000])
@pytest.mark.parametrize("name", NAMES)
def test_deeply_nested_content_ends(name: str, text: str) -> None:
    needs_of([name], lambda _: text)
