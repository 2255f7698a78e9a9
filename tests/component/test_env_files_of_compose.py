"""Environment files are read as the Docker Compose on this machine reads them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from orchestrator.config.env_file import EnvFileUnreadable, read_env_file

SAME = [
    'A="\\$B"',
    'A="\\$\\$"',
    "A= #x",
    "A=x #y",
    "A=x#y",
    "A=#y",
    "A=\\tx",
    'A="a\\tb\\nc\\qd"',
    "A='a\\tb'",
    "A='it\\'s'",
    'A="\\\\n"',
    'A="\\""',
    'A="\\012 \\0123 \\0 \\0777 \\0377"',
    "A: 5",
    "A:5",
    "A : 5",
    "A =5",
    "  A = 5  ",
    "export A=1",
    "export\tA=1",
    "export  A = 1",
    "exportA=1",
    "A.b-c[0]=1",
    "\xfc=1",
    "1A=2",
    "A=1\rB=2",
    "A=1\r\nB=2\r\n",
    "A=1\r",
    "\rA=1",
    'A="1\r\n2"',
    'A="1\r2"',
    "A=",
    "A=\nB=1",
    "A=''",
    'A="" # x',
    "A='x'#y",
    "A='x' \t#y",
    "A=x\u3000",
    "A=\u2028x",
    "A=b=c",
    "A='x'\n\n\n#c\nB=2",
    "A=x\t#y",
    "A=`x`",
    "A=\"'x'\"",
    "A=x'y'",
    'A=x"y"',
    "A=\x0bx",
    "A=1\nA=2",
    "A=\x1cx\x1c",
    "A=\x85x\xa0",
    "A=--x",
    "A=x\\",
    "A='x\\\\'",
    "A=a  #b #c",
    "A=a # #b",
    "#A=1\nB=2",
    "\ufeffA=1",
    "A=\ufeff1",
    "A==",
    "A=:",
    "A:=1",
]
"""Both read it, and find the same."""
REFUSED = [
    '"A"=1', "'A'=1", "A/B=1", "A B=1", "A$=1", "A='x", 'A="x', 'A="x\\"', "A,B=1", "{}", "A(1)=2", "A\x1c=1",
    "A\u3000B=1", "A\u3000=1",
]  # fmt: skip
"""Both refuse it."""
REFUSED_HERE = ["A\nB=1", "=1", ":1", "A\tB=1", "A='x'y\n", "A='x' B=1", "x y"]
"""Compose reads it: what it sets is not what is written, or is taken from elsewhere."""
CHARACTERS = st.sampled_from("AB=:'\"\\#\n\r \t.-_[]nt0178cqx/ü\u3000\x1c\x0b")
LINES = st.one_of(
    st.text(CHARACTERS, max_size=12),
    st.builds("A{}={}".format, st.sampled_from(["", " ", ":"]), st.text(CHARACTERS, max_size=12)),
    st.builds('A="{}"'.format, st.text(CHARACTERS, max_size=10)),
    st.builds("A='{}'{}".format, st.text(CHARACTERS, max_size=10), st.sampled_from(["", "\n", " #", "\r\n"])),
)


def by_compose(folder: Path, texts: list[str]) -> list[dict[str, str]] | None:
    """What Compose finds in each text; None if it refuses one of them."""
    services = {}
    for number, text in enumerate(texts):
        (folder / f"{number}.env").write_bytes(text.encode())
        services[f"s{number}"] = {"image": "x", "env_file": [f"{number}.env"]}
    (folder / "compose.yaml").write_text(json.dumps({"services": services}))
    command = ["docker", "compose", "--project-directory", ".", "config", "--format", "json"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if answer.returncode:
        return None
    found = json.loads(answer.stdout)["services"]
    environments = [found[name].get("environment") or {} for name in services]
    return [{key: value.replace("$$", "$") for key, value in one.items()} for one in environments]


def here(folder: Path, text: str) -> dict[str, str] | None:
    file = folder / "ours.env"
    file.write_bytes(text.encode())
    try:
        return read_env_file(file)
    except EnvFileUnreadable:
        return None


def test_both_find_the_same(tmp_path: Path) -> None:
    theirs = by_compose(tmp_path, SAME)

    assert theirs is not None
    assert dict(zip(SAME, [here(tmp_path, text) for text in SAME], strict=True)) == dict(zip(SAME, theirs, strict=True))


@pytest.mark.parametrize("text", REFUSED)
def test_both_refuse_it(tmp_path: Path, text: str) -> None:
    assert by_compose(tmp_path, [text]) is None
    assert here(tmp_path, text) is None


def test_what_sets_no_variable_is_refused_here_alone(tmp_path: Path) -> None:
    assert by_compose(tmp_path, REFUSED_HERE) is not None
    assert [here(tmp_path, text) for text in REFUSED_HERE] == [None] * len(REFUSED_HERE)


@seed(11)
@settings(max_examples=4, deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
@given(st.lists(LINES, min_size=150, max_size=150))
def test_whatever_is_read_here_compose_reads_as_the_same(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    ours = {text: found for text in texts if (found := here(folder, text)) is not None}

    theirs = by_compose(folder, list(ours))

    assert theirs is not None, "Compose refuses one of them"
    assert ours == dict(zip(ours, theirs, strict=True))
