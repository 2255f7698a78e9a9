"""What is typed into the console, and the command that it means: none of it is guessed for what changes something."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from panel.console import pattern
from panel.console.answers.of_all import ANSWERS
from panel.console.changes import CHANGES
from panel.console.commands import COMMANDS, NAMED
from panel.console.completion import completions
from panel.console.moments import moment
from panel.console.nearest import distance, nearest
from panel.console.recall import Recall
from panel.console.understood import LONGEST_LINE, NotUnderstood, Understood, read

APPS = ("shop", "till", "panel", "status", "web-2")
NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
"""A Saturday."""

UNDERSTOOD: list[tuple[str, str, dict[str, str]]] = [
    ("status", "status", {}),
    ("Status?", "status", {}),
    ("status of till", "status", {"app": "till"}),
    ("shop status", "status", {"app": "shop"}),
    ("status status", "status", {"app": "status"}),
    ("show me the status of shop", "status", {"app": "shop"}),
    ("how are things", "status", {}),
    ("how is everything?", "status", {}),
    ("is everything ok?", "status", {}),
    ("is shop ok?", "status", {"app": "shop"}),
    ("is SHOP up?", "status", {"app": "shop"}),
    ("how is shop doing", "status", {"app": "shop"}),
    ("list the apps", "status", {}),
    ("what is live", "live", {}),
    ("what's live?", "live", {}),
    ("What’s live?", "live", {}),
    ("which version of shop is live", "live", {"app": "shop"}),
    ("what version is shop", "live", {"app": "shop"}),
    ("what is running", "live", {}),
    ("version of till", "live", {"app": "till"}),
    ("deploy shop", "deploy", {"app": "shop"}),
    ("Deploy Shop!", "deploy", {"app": "shop"}),
    ("please deploy shop now", "deploy", {"app": "shop"}),
    ("could you deploy the app shop please", "deploy", {"app": "shop"}),
    ("update shop", "deploy", {"app": "shop"}),
    ("upgrade web-2", "deploy", {"app": "web-2"}),
    ("install the newest version of shop", "deploy", {"app": "shop"}),
    ("bring shop up to date", "deploy", {"app": "shop"}),
    ("deploy shop v1.2", "deploy", {"app": "shop", "version": "v1.2"}),
    ("deploy shop to version v1.2", "deploy", {"app": "shop", "version": "v1.2"}),
    ("deploy v1.2 of shop", "deploy", {"app": "shop", "version": "v1.2"}),
    ("deploy version 1.2.0-RC1 to till", "deploy", {"app": "till", "version": "1.2.0-RC1"}),
    ("deploy shop main", "deploy", {"app": "shop", "version": "main"}),
    ("roll out shop", "deploy", {"app": "shop"}),
    ("roll back shop", "rollback", {"app": "shop"}),
    ("rollback shop", "rollback", {"app": "shop"}),
    ("roll shop back", "rollback", {"app": "shop"}),
    ("bring shop back", "rollback", {"app": "shop"}),
    ("undo the last update of shop", "rollback", {"app": "shop"}),
    ("go back to the previous version of shop", "rollback", {"app": "shop"}),
    ("revert till", "rollback", {"app": "till"}),
    ("check shop", "check", {"app": "shop"}),
    ("check", "check", {"app": "till"}),
    ("check for updates of shop", "check", {"app": "shop"}),
    ("is there an update for shop?", "check", {"app": "shop"}),
    ("any updates for shop", "check", {"app": "shop"}),
    ("what would the update of shop bring", "check", {"app": "shop"}),
    ("is shop up to date", "check", {"app": "shop"}),
    ("what's new in shop", "check", {"app": "shop"}),
    ("any updates?", "updates", {}),
    ("what can be updated", "updates", {}),
    ("why did the last update fail", "why", {}),
    ("why did shop's last update fail", "why", {"app": "shop"}),
    ("why did shop’s last deployment fail?", "why", {"app": "shop"}),
    ("why did the last update of shop fail", "why", {"app": "shop"}),
    ("why did shop fail", "why", {"app": "shop"}),
    ("why has shop failed", "why", {"app": "shop"}),
    ("why did 995193f5 fail", "why", {"deployment": "995193f5"}),
    ("what went wrong", "why", {}),
    ("what went wrong with till", "why", {"app": "till"}),
    ("why", "why", {}),
    ("what is wrong", "trouble", {}),
    ("what's wrong with shop?", "trouble", {"app": "shop"}),
    ("any problems?", "trouble", {}),
    ("why is shop down", "trouble", {"app": "shop"}),
    ("what changed since yesterday", "changed", {"when": "yesterday"}),
    ("what changed today", "changed", {"when": "today"}),
    ("what changed in shop since monday 9:00", "changed", {"app": "shop", "when": "monday 9:00"}),
    ("what happened in the last 2 hours", "changed", {"when": "the last 2 hours"}),
    ("what has changed since 10:00", "changed", {"when": "10:00"}),
    ("what's new since this morning", "changed", {"when": "this morning"}),
    ("what was deployed yesterday", "changed", {"when": "yesterday"}),
    ("history of shop", "history", {"app": "shop"}),
    ("shop history", "history", {"app": "shop"}),
    ("history", "history", {"app": "till"}),
    ("last 5 deployments of shop", "history", {"app": "shop", "number": "5"}),
    ("who deployed shop last", "history", {"app": "shop"}),
    ("when was shop deployed", "history", {"app": "shop"}),
    ("show 995193f5", "show", {"deployment": "995193f5"}),
    ("show deployment d42", "show", {"deployment": "d42"}),
    ("logs of shop", "logs", {"app": "shop"}),
    ("show me the logs of shop", "logs", {"app": "shop"}),
    ("shop logs", "logs", {"app": "shop"}),
    ("logs", "logs", {"app": "till"}),
    ("last 50 lines of shop", "logs", {"app": "shop", "number": "50"}),
    ("show me errors of shop since 10:00", "logs", {"app": "shop", "level": "error", "when": "10:00"}),
    ("errors in shop in the last hour", "logs", {"app": "shop", "level": "error", "when": "the last hour"}),
    ("warnings of shop", "logs", {"app": "shop", "level": "warning"}),
    ("any errors in till?", "logs", {"app": "till", "level": "error"}),
    ("errors of shop between 9:00 and 10:00", "logs",
     {"app": "shop", "level": "error", "when": "9:00", "until": "10:00"}),
    ('find "card declined" in shop since 10:00', "logs", {"app": "shop", "text": "card declined", "when": "10:00"}),
    ("search for timeout in the logs of till", "logs", {"app": "till", "text": "timeout"}),
    ("versions of shop", "versions", {"app": "shop"}),
    ("which versions are there of shop", "versions", {"app": "shop"}),
    ("backups of shop", "backups", {"app": "shop"}),
    ("list the backups of shop", "backups", {"app": "shop"}),
    ("when was shop backed up", "backups", {"app": "shop"}),
    ("back up shop", "backup", {"app": "shop"}),
    ("backup shop", "backup", {"app": "shop"}),
    ("back shop up", "backup", {"app": "shop"}),
    ("make a backup of shop", "backup", {"app": "shop"}),
    ("restore shop from 20260314-115900", "restore", {"app": "shop", "backup": "20260314-115900"}),
    ("restore backup 20260314-115900 of shop", "restore", {"app": "shop", "backup": "20260314-115900"}),
    ("restore shop", "restore", {"app": "shop"}),
    ("pause shop", "pause", {"app": "shop"}),
    ("resume shop", "resume", {"app": "shop"}),
    ("unpause shop", "resume", {"app": "shop"}),
    ("cancel", "cancel", {}),
    ("cancel shop", "cancel", {"app": "shop"}),
    ("cancel the deployment of shop", "cancel", {"app": "shop"}),
    ("abort 995193f5", "cancel", {"deployment": "995193f5"}),
    ("stop the update of shop", "cancel", {"app": "shop"}),
    ("skip v1.3 of shop", "skip", {"app": "shop", "version": "v1.3"}),
    ("skip shop v1.3", "skip", {"app": "shop", "version": "v1.3"}),
    ("never install v1.3 of shop", "skip", {"app": "shop", "version": "v1.3"}),
    ("offer v1.3 of shop again", "offer", {"app": "shop", "version": "v1.3"}),
    ("open shop", "open", {"app": "shop"}),
    ("where is shop", "open", {"app": "shop"}),
    ("url of shop", "open", {"app": "shop"}),
    ("follow shop", "follow", {"app": "shop"}),
    ("show progress of shop", "follow", {"app": "shop"}),
    ("migrations of shop", "migrations", {"app": "shop"}),
    ("can shop be rolled back?", "migrations", {"app": "shop"}),
    ("doctor", "doctor", {}),
    ("is docker ok?", "doctor", {}),
    ("who did what", "audit", {}),
    ("help", "help", {}),
    ("?", "help", {}),
    ("help deploy", "help", {"text": "deploy"}),
    ("how do I roll back", "help", {"text": "roll back"}),
    ("what can I say?", "help", {}),
]  # fmt: skip

READ_AS = [
    ("statsu", "status", "status"),
    ("histroy of shop", "history", "history of shop"),
    ("logs of shpo", "logs", "logs of shop"),
    ("wat is live", "live", "what is live"),
    ("why did the last updat fail", "why", "why did the last update fail"),
]

NOT_UNDERSTOOD: list[tuple[str, str, tuple[str, ...]]] = [
    ("", "Type a command", ()),
    ("   ", "Type a command", ()),
    ("please", "Type a command", ()),
    ("fnord", "not understood", ()),
    ("rm -rf /", "not understood", ()),
    ("delete everything", "not understood", ()),
    ("delete shop", "not understood", ()),
    ("stop shop", "not understood", ()),
    ("kill shop", "not understood", ()),
    ("deploy", "Which app?", ("deploy till", "deploy shop", "deploy panel", "deploy status")),
    ("roll back", "Which app?", ("roll back till",)),
    ("pause", "Which app?", ("pause till",)),
    ("back up", "Which app?", ("back up till",)),
    ("skip v1.3", "Which app?", ("skip v1.3 till",)),
    ("depoly shop", "Did you mean", ("deploy shop",)),
    ("deploy shp", "Did you mean", ("deploy shop",)),
    ("roll bcak shop", "Did you mean", ("roll back shop",)),
    ("rollbakc shop", "Did you mean", ("rollback shop",)),
    ("puase shop", "Did you mean", ("pause shop",)),
    ("restor shop", "Did you mean", ("restore shop",)),
    ("deploy kiosk", "There is no app kiosk", ("deploy shop",)),
    ("roll back kiosk", "There is no app kiosk", ("roll back shop",)),
    ("logs of kiosk", "There is no app kiosk", ()),
    ("do not deploy shop", "not understood", ()),
    ("don't roll back shop", "not understood", ()),
    ("deploy shop and till", "not understood", ()),
    ("deploy shop unless it is friday", "not understood", ()),
    ("what changed since teatime", "teatime is not a time", ()),
    ("errors of shop since 25:00", "25:00 is not a time", ()),
    ("x" * (LONGEST_LINE + 1), "at most", ()),
    ("deploy " * 40, "Type a command", ()),
]


@pytest.mark.parametrize(("line", "command", "values"), UNDERSTOOD)
def test_a_line_means_this_command(line: str, command: str, values: dict[str, str]) -> None:
    found = read(line, APPS, NOW, "till")

    assert isinstance(found, Understood), found
    assert (found.command.name, found.values, found.read_as) == (command, values, "")


@pytest.mark.parametrize(("line", "command", "read_as"), READ_AS)
def test_a_typing_mistake_in_what_only_reads_is_forgiven_and_said(line: str, command: str, read_as: str) -> None:
    found = read(line, APPS, NOW, "till")

    assert isinstance(found, Understood), found
    assert (found.command.name, found.read_as) == (command, read_as)


@pytest.mark.parametrize(("line", "says", "suggestions"), NOT_UNDERSTOOD)
def test_a_line_is_not_guessed(line: str, says: str, suggestions: tuple[str, ...]) -> None:
    found = read(line, APPS, NOW, "till")

    assert isinstance(found, NotUnderstood), found
    assert says in found.says
    assert found.suggestions[: len(suggestions)] == suggestions


def test_the_table_is_as_long_as_it_is_wanted() -> None:
    assert len(UNDERSTOOD) + len(READ_AS) + len(NOT_UNDERSTOOD) >= 120
    assert {command for _, command, _ in UNDERSTOOD} == set(NAMED)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.name)
def test_each_command_has_an_answer_and_an_example_that_means_it(command: object) -> None:
    one = next(known for known in COMMANDS if known is command)
    found = read(one.example, APPS, NOW, "till")

    assert isinstance(found, Understood)
    assert found.command is one
    assert (one.name in CHANGES) is one.changes
    assert (one.name in ANSWERS) is not one.changes
    assert one.command_line(found.values).startswith("changeover ")
    for form in one.patterns:
        pattern.compiled(form)


def test_the_command_line_has_the_parts_that_have_a_value() -> None:
    deploy = NAMED["deploy"]

    assert deploy.command_line({"app": "shop"}) == "changeover deploy shop"
    assert deploy.command_line({"app": "shop", "version": "v2"}) == "changeover deploy shop --ref v2"
    assert deploy.command_line({}) == "changeover deploy APP"


@pytest.mark.parametrize(
    "line",
    ["show " * 30, "the all any " * 10, "find " + "in " * 28, "a" * LONGEST_LINE, "errors of since from to in on " * 9],
)
def test_no_line_takes_long_to_read(line: str) -> None:
    """It is read in the event loop. Five seconds are a thousand times what it takes."""
    begins = time.process_time()
    read(line[:LONGEST_LINE], APPS * 20, NOW)

    assert time.process_time() - begins < 5


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("10:00", "2026-03-14 10:00"),
        ("10:00:30", "2026-03-14 10:00:30"),
        ("13:00", "2026-03-13 13:00"),
        ("9am", "2026-03-14 09:00"),
        ("12am", "2026-03-14 00:00"),
        ("today", "2026-03-14 00:00"),
        ("yesterday", "2026-03-13 00:00"),
        ("yesterday at 18:30", "2026-03-13 18:30"),
        ("this morning", "2026-03-14 06:00"),
        ("last night", "2026-03-13 18:00"),
        ("friday", "2026-03-13 00:00"),
        ("last saturday", "2026-03-07 00:00"),
        ("this week", "2026-03-09 00:00"),
        ("last week", "2026-03-07 12:00"),
        ("2 hours ago", "2026-03-14 10:00"),
        ("an hour ago", "2026-03-14 11:00"),
        ("the last 30 minutes", "2026-03-14 11:30"),
        ("30m", "2026-03-14 11:30"),
        ("2026-03-01", "2026-03-01 00:00"),
        ("2026-03-01 10:15", "2026-03-01 10:15"),
        ("2026-03-01T10:15:00Z", "2026-03-01 10:15"),
    ],
)
def test_moments(text: str, means: str) -> None:
    assert moment(text, NOW) == datetime.fromisoformat(f"{means}+00:00")


@pytest.mark.parametrize(
    "text", ["", "soon", "24:00", "10:99", "13pm", "hours", "2026-02-30", "99999999 days ago", "-1h"]
)
def test_what_is_no_moment(text: str) -> None:
    assert moment(text, NOW) is None


def test_a_time_of_day_is_one_of_the_persons_zone() -> None:
    here = NOW.astimezone(timezone(timedelta(hours=2)))

    assert moment("10:00", here) == datetime(2026, 3, 14, 8, 0, tzinfo=UTC)


def test_distances_count_an_exchange_as_one_slip() -> None:
    assert [distance("depoly", "deploy"), distance("shp", "shop"), distance("", "abc")] == [1, 1, 3]
    assert nearest("shp", ["shop", "till"]) == ("shop",)
    assert nearest("it", ["is", "in"]) == ()


def test_completions_begin_as_what_is_typed_the_selected_app_first() -> None:
    versions = {"shop": ["v1.2", "v1.1"]}

    assert completions("deploy ", ("shop", "till"), {}, "till")[:2] == ("deploy till", "deploy shop")
    assert completions("deploy shop ", ("shop", "till"), versions) == ("deploy shop v1.2", "deploy shop v1.1")
    assert completions("hist", ("shop",), {}) == ("history of shop",)
    assert completions("", ("shop",), {}) == ()


def test_recall_goes_up_and_down_and_gives_the_draft_back() -> None:
    recall = Recall(["status", "deploy shop", "deploy shop", "help"])

    assert [recall.older("dra"), recall.older("help"), recall.older("deploy shop"), recall.older("status")] == [
        "help", "deploy shop", "status", "status",
    ]  # fmt: skip
    assert [recall.newer("status"), recall.newer("deploy shop"), recall.newer("help")] == ["deploy shop", "help", "dra"]
    assert recall.search("s") == "deploy shop"
    assert recall.search("deploy shop") == "status"
    assert recall.search("status") is None
