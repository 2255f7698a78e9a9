"""One rule for all commands that destroy something: they say what, and ask; `--yes` asks nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup

from panel.cli.main import command
from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi

SESSION = {
    "id": "0123456789ab", "token": "ann", "origin": "127.0.0.1", "created_at": "2026-01-01T00:00:00Z",
    "used_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z",
}  # fmt: skip
BACKUP = "20260101-000000-000000"
CONFIGURATION = {"lines": ["-a", "+b"], "refused": "", "digest": "a" * 64}
SAVED = {
    "id": BACKUP, "app": "shop", "version": "v1.0.0", "reason": "by hand", "created_at": "2026-01-01T00:00:00Z",
    "files": 1, "data_size": 1, "archive_size": 1,
}  # fmt: skip
ASKS = {
    "rollback": (("rollback", "shop"), ("POST", "/v1/apps/shop/rollback")),
    "rollback --restore": (("rollback", "shop", "--restore", BACKUP), ("POST", "/v1/apps/shop/rollback")),
    "backup restore": (("backup", "restore", "shop", BACKUP), ("POST", f"/v1/apps/shop/backups/{BACKUP}/restore")),
    "backup restore --release": (
        ("backup", "restore", "shop", BACKUP, "--release"),
        ("POST", f"/v1/apps/shop/backups/{BACKUP}/restore"),
    ),
    "backup restore --configuration": (
        ("backup", "restore", "shop", BACKUP, "--configuration"),
        ("POST", f"/v1/apps/shop/backups/{BACKUP}/configuration"),
    ),
    "backup delete": (("backup", "delete", "shop", BACKUP), ("DELETE", f"/v1/apps/shop/backups/{BACKUP}")),
    "remove": (("remove", "old"), ("DELETE", "/v1/leftovers/old")),
    "migrate accept": (("migrate", "accept", "shop"), ("POST", "/v1/apps/shop/migrations/accept")),
    "session end": (("session", "end", "0123456789ab"), ("DELETE", "/v1/sessions/0123456789ab")),
    "token revoke": (("token", "revoke", "ci"), ("DELETE", "/v1/tokens")),
    "push-secret --replace": (("push-secret", "shop", "--replace"), ("POST", "/v1/apps/shop/push-secret")),
}
"""What takes data, a release or access away: the command, and the request that does it."""
DOES_NOT = {
    "alerts", "audit", "backup create", "backup extract", "backup list", "backup verify", "check", "doctor", "events",
    "history", "logs", "migrate status", "panel", "pushes", "session list", "show", "status",
    "token create", "token list", "validate", "versions", "wait",
    "cancel",  # what was begun is undone, and can be asked for again
    "deploy",  # a failure leaves the live release, and a rollback leads back
    "pause", "hold", "resume", "release",  # each is undone by the other one
    "skip",  # undone by --undo
    "mute", "unmute",  # each is undone by the other one
    "notify test",  # people get a message
    "exec", "run",  # the user's own command
}  # fmt: skip


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with FakeApi() as api:
        monkeypatch.setenv("CHANGEOVER_URL", api.url)
        monkeypatch.setenv("CHANGEOVER_TOKEN", "co_secret")
        unsettled = {"deployment": "d1", "since": answers.before(hours=1), "says": "0002 stands.", "remedy": "…"}
        api.gives("GET", "/v1/apps/shop", answers.app(unsettled=unsettled, standby=answers.slot("v0.9.0", "green")))
        api.gives("GET", "/v1/apps/shop/backups", {"backups": [SAVED]})
        api.gives("GET", "/v1/sessions", {"sessions": [SESSION]})
        api.gives("GET", f"/v1/apps/shop/backups/{BACKUP}/configuration", CONFIGURATION)
        api.gives("GET", "/v1/leftovers/old", {"app": "old", "volumes": ["changeover-old-data"]})
        api.gives("GET", "/v1/tokens", {"tokens": [{"name": "ci", "scope": "read"}]})
        yield api


def names(group: TyperGroup, before: str = "") -> Iterator[str]:
    for name, one in group.commands.items():
        if isinstance(one, TyperGroup):
            yield from names(one, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_every_command_stands_in_one_of_the_tables() -> None:
    """A new one is added with a decision."""
    whole = typer.main.get_command(command)
    assert isinstance(whole, TyperGroup)

    assert set(names(whole)) == {name.partition(" --")[0] for name in ASKS} | DOES_NOT


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("typed", ["", "n\n", "\n"])
def test_without_a_yes_nothing_is_done_and_nothing_is_on_stdout(api: FakeApi, name: str, typed: str) -> None:
    arguments, request = ASKS[name]

    ended = changeover(*arguments, "--json", typed=typed)

    assert ended.exit_code == 1
    assert api.requests(*request) == []
    assert "[y/N]" in ended.stderr
    assert "Not confirmed" in ended.stderr
    assert typed or "confirm it by --yes" in ended.stderr
    assert ended.stdout == "", "a program reads it as JSON"


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("way", ["y", "--yes"])
def test_a_yes_by_hand_or_by_option_sends_the_request_once(api: FakeApi, name: str, way: str) -> None:
    arguments, request = ASKS[name]

    ended = changeover(*arguments, *(["--yes"] if way == "--yes" else []), typed="y\n" if way == "y" else "")

    assert len(api.requests(*request)) == 1
    assert ("[y/N]" in ended.stderr) is (way == "y")


@pytest.mark.parametrize("again", ["maybe\n", "x"])
def test_an_input_without_end_and_without_an_answer_is_a_no(api: FakeApi, again: str) -> None:
    """As of `yes maybe`: it was asked without end."""
    ended = changeover("session", "end", "0123456789ab", typed=again * 100_000)

    assert ended.exit_code == 1
    assert ended.stderr.count("Answer y or n.") == 3
    assert ended.stderr.endswith("Not confirmed, nothing was done.\n")
    assert api.requests("DELETE", "/v1/sessions/0123456789ab") == []


def test_a_rollback_that_was_confirmed_is_to_the_standby_that_was_shown(api: FakeApi) -> None:
    standby = answers.slot("v0.9.0", "green")
    api.gives("GET", "/v1/apps/shop", answers.app(standby=standby))

    ended = changeover("rollback", "shop", typed="y\n")

    assert "v0.9.0 on green gets the traffic instead of v1.0.0." in ended.stderr
    (asked,) = api.requests("POST", "/v1/apps/shop/rollback")
    assert asked.body == {"restore": "", "container": standby["container"]}


def test_before_a_rollback_it_is_said_what_it_costs_those_who_use_the_app(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps/shop", answers.app(standby=answers.slot("v0.9.0", "green")))
    says = ["v1.0.0 on blue has in hand now: 1 WebSocket.", "The rollback reverts 0003 (amount)."]
    api.gives("GET", "/v1/apps/shop/plan", {"app": "shop", "kind": "rollback", "steps": [], "cost": says})

    ended = changeover("rollback", "shop", typed="n\n")

    (asked,) = api.requests("GET", "/v1/apps/shop/plan")
    assert asked.query == {"kind": "rollback"}
    for line in says:
        assert ended.stderr.index(line) < ended.stderr.index("[y/N]")


def test_a_rollback_to_a_release_that_crashed_is_warned_of(api: FakeApi) -> None:
    says = "v0.9.0 crashed when it was live: its container ended 3 times in ten minutes."
    api.gives("GET", "/v1/apps/shop", answers.app(standby=answers.slot("v0.9.0", "green", warning=says)))

    ended = changeover("rollback", "shop", typed="n\n")

    assert says in ended.stderr
    assert ended.stderr.index(says) < ended.stderr.index("[y/N]")
    assert api.requests("POST", "/v1/apps/shop/rollback") == []


def test_what_does_not_exist_is_not_asked_about(api: FakeApi) -> None:
    api.refuses("DELETE", "/v1/tokens", 404, detail="There is no token 'other'.")

    ended = changeover("token", "revoke", "other", typed="y\n")

    assert ended.exit_code == 2
    assert "There is no token 'other'." in ended.output
    assert "[y/N]" not in ended.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("backup", "restore", "shop", "nope"),
        ("backup", "restore", "shop", "nope", "--release"),
        ("rollback", "shop", "--restore", "nope"),
    ],
)
def test_a_backup_that_does_not_exist_is_not_asked_about(api: FakeApi, arguments: tuple[str, ...]) -> None:
    ended = changeover(*arguments, typed="y\n")

    assert ended.exit_code == 2
    assert ended.stderr == "shop has no backup 'nope'.\nList its backups: changeover backup list shop\n"
    assert [one for one in api.asked if one.method != "GET"] == []


def test_a_session_that_does_not_exist_is_not_asked_about(api: FakeApi) -> None:
    api.refuses("DELETE", "/v1/sessions/nope", 409, detail="There is no open session nope.")

    ended = changeover("session", "end", "nope", typed="y\n")

    assert ended.exit_code == 3
    assert "There is no open session nope." in ended.stderr
    assert "[y/N]" not in ended.stderr


@pytest.mark.parametrize(("typed", "times"), [("what\nY\n", 2), ("yes\n", 1), ("YES \n", 1)])
def test_an_answer_is_yes_or_no_and_anything_else_is_asked_again(api: FakeApi, typed: str, times: int) -> None:
    ended = changeover("rollback", "shop", "--json", typed=typed)

    assert len(api.requests("POST", "/v1/apps/shop/rollback")) == 1
    assert ended.stderr.count("[y/N]") == times


@pytest.mark.parametrize(
    ("options", "backups", "says", "says_not"),
    [
        ((), ["b1"], "The data of old cannot be brought back.\n", "what its backups have"),
        (("--keep-backups",), ["b1"], "changeover backup restore old BACKUP brings it back.", "cannot be brought back"),
        (("--keep-backups",), [], "cannot be brought back: there is no backup of it.", "what its backups have"),
    ],
    ids=["with backups", "without backups", "no backups"],
)
def test_the_question_says_whether_the_data_can_be_brought_back(
    api: FakeApi, options: tuple[str, ...], backups: list[str], says: str, says_not: str
) -> None:
    api.gives("GET", "/v1/leftovers/old", {"app": "old", "volumes": ["old-data"], "backups": backups})

    asked = changeover("remove", "old", *options, typed="n\n").output

    assert says in asked
    assert says_not not in asked


@pytest.mark.parametrize(
    ("options", "kept"), [((), "history is"), (("--keep-backups",), "history and its backups are")]
)
def test_what_is_kept_of_a_removed_app_is_said(api: FakeApi, options: tuple[str, ...], kept: str) -> None:
    api.gives("DELETE", "/v1/leftovers/old", {"app": "old"})

    assert f"Its {kept} kept." in changeover("remove", "old", "--yes", *options).output


def test_data_is_not_said_to_be_lost_where_there_is_none(api: FakeApi) -> None:
    api.gives("GET", "/v1/leftovers/old", {"app": "old", "containers": ["old-blue"]})

    assert "cannot be brought back" not in changeover("remove", "old", typed="n\n").output


@pytest.mark.parametrize("arguments", [("backup", "restore", "old", BACKUP), ("rollback", "old", "--restore", BACKUP)])
def test_nothing_is_asked_of_an_app_that_is_not_configured_any_more(api: FakeApi, arguments: tuple[str, ...]) -> None:
    """Its backups can be listed, but there is nothing into which they could be restored."""
    api.gives("GET", "/v1/apps/old/backups", {"backups": []})
    api.refuses("GET", "/v1/apps/old", 404, detail="No app 'old' is configured.", remedy="Configured apps: shop.")

    done = changeover(*arguments, typed="y\n")

    assert done.exit_code == 2
    assert done.stderr == "No app 'old' is configured.\nConfigured apps: shop.\n"
