"""The log of a deployment in a CI job: what the forge obeys are our own lines, whatever an app prints."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.cli.ci_log import CiLog, GithubLog, GitlabLog, LogFormat, ci_log
from panel.client.events import Event
from panel.client.model import Deployment
from tests.support import api_answers as answers

AT = datetime(2026, 11, 26, 22, 0, tzinfo=UTC)
HOSTILE = [
    "::error::taken over", "  ::set-env name=PATH::/tmp", "::endgroup::", "::stop-commands::mine", "::mine::",
    "##[error]taken over", "::add-mask::a", "\x1b[0Ksection_end:1:x\r\x1b[0K", "section_start:1:x\r\x1b[0Kx",
    "a\r\n::error::b", "a\n::error::b", "\x1b]0;title\x07", "100%", "[red]no markup[/]", "\u202eturned",
]  # fmt: skip
text = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))


def event(kind: str, **fields: Any) -> Event:
    return Event(id=1, at=AT, kind=kind, app="shop", deployment="d1", fields=fields)


def printed(log: CiLog, events: list[Event], ended: Deployment | None = None) -> str:
    with patch("sys.stdout", StringIO()) as out:
        for one in events:
            log.event(one)
        if ended:
            log.outcome(ended, None)
        return out.getvalue()


def failed(cause: str, *log: str, tip: str = "") -> Deployment:
    failure = {"step": "build", "cause": cause, "tip": tip, "log": list(log)}
    return Deployment.model_validate(answers.deployment(state="failed", failure=failure, version="v1"))


def story(lines: list[str], step: str = "build") -> list[Event]:
    return [
        event("queued", by="ci"),
        event("step", step=step, state="running"),
        *(event("line", line=line) for line in lines),
        event("step", step=step, state="failed", note="\n".join(lines)),
    ]


def obeyed_by_github(log: str) -> list[str]:
    """The commands that GitHub's runner would obey, as its ActionCommand reads a log, whatever their names are."""
    lines = re.split(r"\r\n|\r|\n", log)
    found = (re.match(r"\s*::([^\s:]*)(?: [^:]*)?::", line) or re.search(r"##\[([^\s\]]*)", line) for line in lines)
    return [match[1] for match in found if match]


@given(lines=st.lists(text, max_size=5), cause=text, tip=text)
def test_github_obeys_nothing_that_an_app_prints(lines: list[str], cause: str, tip: str) -> None:
    log = printed(GithubLog(), story(lines), failed(cause, *lines, tip=tip))

    assert obeyed_by_github(log) == ["group", "endgroup", "error"]


@given(lines=st.lists(text, max_size=5), cause=text)
def test_gitlab_obeys_nothing_that_an_app_prints(lines: list[str], cause: str) -> None:
    log = printed(GitlabLog(), story(lines), failed(cause, *lines))

    sections = re.findall(r"section_(start|end):(\d+):([a-zA-Z0-9_.-]+)(?:\[[^\]]*\])?\r\x1b\[0K", log)
    assert [kind for kind, _, _ in sections] == ["start", "end"]
    assert len({name for _, _, name in sections}) == 1
    ours = re.sub(r"\x1b\[0Ksection_(?:start|end):\d+:changeover_\w+(?:\[collapsed=true\])?\r\x1b\[0K", "", log)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", ours)


@given(lines=st.lists(text, max_size=5), cause=text)
def test_plain_has_no_control_characters_and_a_time_on_each_line(lines: list[str], cause: str) -> None:
    log = printed(CiLog(), story(lines), failed(cause, *lines))

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", log)
    assert all(re.match(r"2\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ ", line) for line in log.split("\n")[:-1])


def test_a_failed_build_is_an_error_at_its_line_of_the_dockerfile() -> None:
    ended = failed("The build failed: 100% wrong, exit 1.\nLook.", "Dockerfile:12", "-----", tip="Correct it.")

    log = printed(GithubLog(), [], ended)

    assert (
        "::error file=Dockerfile,line=12,title=shop%3A build failed::The build failed: 100%25 wrong, exit 1.%0ALook."
        "%0ACorrect it.\n"
    ) in log


def test_steps_are_groups_and_how_it_ended_is_in_none() -> None:
    events = [
        event("step", step="build", state="running"),
        event("line", line="#1 building"),
        event("step", step="build", state="done"),
        event("step", step="switch", state="running"),
    ]
    live = Deployment.model_validate(answers.deployment(state="live", version="v1"))

    log = printed(GithubLog(), events, live)
    told = log.splitlines()

    assert told[:6] == ["::group::build", "  #1 building", "✓ build", "::endgroup::", "::group::switch", "::endgroup::"]
    assert told[6].startswith("✓ Live: shop v1")


@pytest.mark.parametrize(
    ("wanted", "environment", "kind"),
    [
        (LogFormat.AUTO, {}, None),
        (LogFormat.AUTO, {"GITHUB_ACTIONS": "true"}, GithubLog),
        (LogFormat.AUTO, {"GITLAB_CI": "true"}, GitlabLog),
        (LogFormat.AUTO, {"CI": "true"}, None),
        (LogFormat.PLAIN, {"GITHUB_ACTIONS": "true"}, CiLog),
        (LogFormat.GITLAB, {}, GitlabLog),
    ],
)
def test_the_format_is_that_of_the_job(wanted: LogFormat, environment: dict[str, str], kind: type | None) -> None:
    found = ci_log(wanted, environment)

    assert type(found) is (kind or type(None))
