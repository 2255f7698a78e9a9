"""In a CI job the runner obeys nothing that others have written, whatever command prints it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedWriter, BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from panel.cli.main import command
from panel.cli.runner_commands import GuardedStream, HarmlessBytes, HarmlessText, harmless
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi
from tests.support.paths import ROOT
from tests.unit.panel.test_ci_log import HOSTILE, obeyed_by_github

FOREIGN = "  ::set-output name=a::taken over"
ALSO = "x ##[error]taken over"
SECTION = "\x1b[0Ksection_start:1:x\r\x1b[0K"
pieces = st.lists(
    st.one_of(
        st.sampled_from([*HOSTILE, ":", "::", " ", "\n", "\r", "##", "[", "section_", "start", "\u2003"]),
        st.text(max_size=5),
    )
)


def obeyed(text: str) -> list[str]:
    return obeyed_by_github(text) + re.findall(r"section_(?:start|end):", text)


@given(pieces=pieces)
def test_a_runner_obeys_no_text_in_whatever_pieces_it_comes(pieces: list[str]) -> None:
    guard = HarmlessText()
    safe = "".join(map(guard.piece, pieces))

    assert obeyed(safe) == []
    assert safe == harmless("".join(pieces))
    assert guard.changed is (safe != "".join(pieces))
    assert harmless(safe) == safe


@given(
    whole=st.lists(st.one_of(st.sampled_from(HOSTILE).map(str.encode), st.binary(max_size=8))).map(b"".join),
    at=st.integers(0, 40),
)
def test_bytes_that_a_runner_would_not_obey_stay_as_they_are(whole: bytes, at: int) -> None:  # fmt: skip
    guard = HarmlessBytes()
    safe = guard.piece(whole[:at]) + guard.piece(whole[at:]) + guard.end()

    assert obeyed(safe.decode(errors="replace")) == []
    assert safe.replace(b" ", b"") == whole.replace(b" ", b"")
    assert guard.changed or safe == whole


DEPLOYMENT = answers.deployment(
    state="failed", failure={"step": "build", "cause": FOREIGN, "tip": FOREIGN, "log": [FOREIGN, ALSO]}, version=ALSO
)
EVENTS = answers.Events().add("line", "d42", line=FOREIGN).add("line", "d42", line=ALSO).add("failed", "d42").all
BACKUP = {
    "id": "b1", "app": "shop", "created_at": answers.before(minutes=1), "version": ALSO, "reason": FOREIGN, "files": 1,
    "data_size": 1, "archive_size": 1,
}  # fmt: skip
ENTRY = {
    "id": 1, "at": answers.before(minutes=1), "who": FOREIGN, "origin": ALSO, "action": FOREIGN, "outcome": "done",
    "status": 200, "reason": ALSO, "app": "shop",
}  # fmt: skip
PRINTED: dict[tuple[str, ...], dict[tuple[str, str], Any]] = {
    ("status", "shop"): {},
    ("logs", "shop"): {("GET", "/v1/apps/shop/logs"): {"container": "c", "lines": [FOREIGN, ALSO]}},
    ("logs", "shop", "--follow"): {("GET", "/v1/apps/shop/logs/follow"): {"line": FOREIGN}},
    ("deploy", "shop", "--wait"): {("POST", "/v1/apps/shop/deployments"): DEPLOYMENT},
    ("deploy", "shop", "--wait", "--log-format", "plain"): {("POST", "/v1/apps/shop/deployments"): DEPLOYMENT},
    ("rollback", "shop", "--yes"): {("POST", "/v1/apps/shop/rollback"): answers.deployment(kind="rollback")},
    ("backup", "restore", "shop", "b1", "--yes"): {("POST", "/v1/apps/shop/backups/b1/restore"): DEPLOYMENT},
    ("backup", "list", "shop"): {("GET", "/v1/apps/shop/backups"): {"backups": [BACKUP]}},
    ("backup", "extract", "shop", "b1", "logs"): {
        ("GET", "/v1/apps/shop/backups/b1/extract"): {"files": [{"name": ALSO, "text": FOREIGN}]}
    },
    ("show", "d42"): {},
    ("history", "shop"): {("GET", "/v1/apps/shop/deployments"): {"deployments": [DEPLOYMENT]}},
    ("audit",): {("GET", "/v1/audit"): {"entries": [ENTRY]}},
    ("check", "shop"): {("POST", "/v1/apps/shop/update/check"): answers.update(origin=ALSO, notes=[FOREIGN])},
    ("versions", "shop"): {
        ("GET", "/v1/apps/shop/update/versions"): {"versions": [{"version": FOREIGN, "ref": ALSO, "state": ""}]}
    },
    ("doctor",): {
        ("GET", "/v1/doctor"): {"findings": [{"what": FOREIGN, "well": False, "says": ALSO, "remedy": FOREIGN}]}
    },
    ("run", "shop", "--", "true"): {("POST", "/v1/apps/shop/run"): {"error": FOREIGN}},
    ("exec", "shop", "--", "true"): {("POST", "/v1/apps/shop/exec"): {"problem": {"detail": FOREIGN, "remedy": ALSO}}},
    ("pause", "shop"): {},
}
"""Commands, and the answers with what others have written; `events`, which does not end, is held by its own test."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with FakeApi() as api:
        monkeypatch.setenv("CHANGEOVER_URL", api.url)
        monkeypatch.setenv("CHANGEOVER_TOKEN", "co_secret")
        slot = answers.slot(ALSO)
        api.gives(
            "GET", "/v1/apps/shop", answers.app(active=slot, url=ALSO, troubles=[{"says": FOREIGN, "remedy": ALSO}])
        )
        api.gives("GET", "/v1/deployments/d42", DEPLOYMENT)
        api.refuses("POST", "/v1/apps/shop/pause", 409, detail=FOREIGN, remedy=ALSO, log=[FOREIGN])
        api.events = EVENTS
        yield api


def printed_in_a_job(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> str:
    """What a command writes to its standard output and its standard error as the command's own streams let it."""
    written = [BytesIO(), BytesIO()]
    for name, one in zip(("stdout", "stderr"), written, strict=True):
        stream = GuardedStream(BufferedWriter(cast("Any", one)), "utf-8", "replace", line_buffering=True)
        monkeypatch.setattr(sys, name, stream)
    with suppress(SystemExit):
        get_command(command).main(args=list(arguments), standalone_mode=True)
    sys.stdout.flush()
    sys.stderr.flush()
    text = "\n".join(one.getvalue().decode() for one in written)
    monkeypatch.undo()
    return text


@pytest.mark.parametrize("runner", ["GITHUB_ACTIONS", "GITLAB_CI"])
@pytest.mark.parametrize("arguments", PRINTED, ids=" ".join)
def test_a_runner_obeys_nothing_that_a_command_prints_for_others(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], runner: str
) -> None:
    for (method, path), answer in PRINTED[arguments].items():
        api.gives(method, path, answer)
    monkeypatch.setenv(runner, "true")

    told = printed_in_a_job(monkeypatch, arguments)

    assert "taken over" in told, told
    ours = re.findall(r"^::(?:group|endgroup|error)\b.*|\x1b\[0Ksection_.*", told, re.MULTILINE)
    assert obeyed("\n".join(line for line in told.split("\n") if line not in ours and "\x1b[0K" not in line)) == []


def in_a_job(
    api: FakeApi, script: str, folder: Path, variable: str = "GITHUB_ACTIONS"
) -> subprocess.CompletedProcess[bytes]:
    """A step, as a runner starts it: a script of bash, whose outputs are pipes."""
    (folder / "changeover").write_text(f'#!/bin/sh\nexec {sys.executable} -m panel.cli "$@"\n')
    (folder / "changeover").chmod(0o755)
    (folder / "step.sh").write_text(f'PATH="$OUT:$PATH"\n{script}')
    environment = os.environ | {
        "CHANGEOVER_URL": api.url,
        "CHANGEOVER_TOKEN": "co_x",
        variable: "true",
        "OUT": str(folder),
    }
    return subprocess.run(
        ["bash", "-e", folder / "step.sh"], cwd=ROOT, env=environment, capture_output=True, timeout=60
    )


def test_bytes_of_a_command_go_to_files_and_programs_as_they_are_and_to_the_job_without_commands(
    api: FakeApi, tmp_path: Path
) -> None:
    content = f"{FOREIGN}\n{ALSO}\n{SECTION}\n".encode() + b"\xff\x00"
    lines = [{"output": base64.b64encode(content).decode()}, {"exit_code": 0}]
    api.gives_text("POST", "/v1/apps/shop/exec", "\n".join(map(json.dumps, lines)))

    ran = in_a_job(
        api,
        "changeover exec shop -- cat a > $OUT/file\nchangeover exec shop -- cat a | cat > $OUT/piped\n"
        'x="$(changeover exec shop -- cat a | base64 -w0)"; printf %s "$x" | base64 -d > $OUT/taken\n'
        "changeover exec shop -- cat a\n",
        tmp_path,
    )

    assert ran.returncode == 0, ran.stderr
    assert [(tmp_path / name).read_bytes() for name in ("file", "piped", "taken")] == [content] * 3
    assert obeyed(ran.stdout.decode(errors="replace")) == []
    assert b"taken over" in ran.stdout
    assert ran.stderr.count(b"each got a blank") == 1


def test_the_streams_of_the_command_are_guarded_in_a_job_and_json_keeps_its_values(
    api: FakeApi, tmp_path: Path
) -> None:
    lines = {"container": "section_start:1:x", "lines": [FOREIGN, ALSO, "section_end:1:x"]}
    api.gives("GET", "/v1/apps/shop/logs", lines)

    ran = in_a_job(
        api, "changeover logs shop\nchangeover pause shop || true\nchangeover logs shop --json > $OUT/json", tmp_path
    )

    assert obeyed(ran.stdout.decode()) == obeyed(ran.stderr.decode()) == []
    assert ran.stdout.decode() == "  : :set-output name=a::taken over\nx ## [error]taken over\nsection_end :1:x\n"
    assert b"taken over" in ran.stderr
    text = (tmp_path / "json").read_text()
    assert json.loads(text) == lines
    assert obeyed(text) == []
