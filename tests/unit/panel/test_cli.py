"""The `changeover` command against a server that answers as the orchestrator does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from orchestrator.config import yaml_text
from panel.cli.configuration import MOST_BYTES
from panel.cli.main import command
from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi, problem_answer

PLAN = {
    "app": "shop",
    "kind": "deploy",
    "steps": [
        {"name": "prepare", "description": "Check engine, proxy and disk space."},
        {"name": "switch", "description": "Route new requests to the new container."},
    ],
}


# For programs


@pytest.mark.parametrize(
    ("arguments", "route", "answer"),
    [
        (("status",), ("GET", "/v1/apps"), {"apps": [answers.app(traffic={"rps": 12.5})]}),
        (("status", "shop"), ("GET", "/v1/apps/shop"), answers.app(traffic={"rps": 12.5})),
        (("check", "shop"), ("POST", "/v1/apps/shop/update/check"), answers.update(signed_by="Ann")),
        (("check", "shop"), ("POST", "/v1/apps/shop/update/check"), None),
        (("deploy", "shop"), ("POST", "/v1/apps/shop/deployments"), answers.deployment(state="queued", queue=2)),
        (("deploy", "shop", "--dry-run"), ("GET", "/v1/apps/shop/plan"), PLAN),
        (
            ("rollback", "shop", "--yes"),
            ("POST", "/v1/apps/shop/rollback"),
            answers.deployment(kind="rollback", by="Ann"),
        ),
        (("history", "shop"), ("GET", "/v1/apps/shop/deployments"), {"deployments": [answers.deployment(x=1)]}),
        (("logs", "shop"), ("GET", "/v1/apps/shop/logs"), {"container": "shop-blue", "lines": ["hello"]}),
        (("pause", "shop"), ("POST", "/v1/apps/shop/pause"), {"app": "shop", "paused": True}),
        (("cancel", "d42"), ("POST", "/v1/deployments/d42/cancel"), answers.deployment(state="running", x=1)),
        (("doctor",), ("GET", "/v1/doctor"), {"findings": [{"what": "disk", "well": True, "says": "ok", "x": 1}]}),
        (
            ("notify", "test", "shop"),
            ("POST", "/v1/apps/shop/notices/test"),
            {"app": "shop", "services": [{"service": "json (f, line 1)", "taken": True, "x": 1}], "problems": []},
        ),
        (("token", "list"), ("GET", "/v1/tokens"), {"tokens": [{"name": "ci", "scope": "read", "last_used": None}]}),
    ],
)
def test_json_is_what_the_api_answered_with_nothing_left_out(
    api: FakeApi, arguments: tuple[str, ...], route: tuple[str, str], answer: Any
) -> None:
    api.gives(*route, answer)

    done = changeover(*arguments, "--json")

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == answer


def test_json_events_are_one_a_line_as_they_came(api: FakeApi) -> None:
    api.events = [
        {**one, "trace": "t1"} for one in answers.Events().add("eclipsed", by="the moon").steps("d1", "a").all
    ]
    # The stream has no end of its own: here a token that is refused when it is opened again ends the command.
    api.cuts.append(len(api.events))
    api.after_cuts = problem_answer(401, detail="The token is unknown or revoked.")

    done = changeover("events", "--after", "0", "--json")

    assert done.exit_code == 4
    assert [json.loads(line) for line in done.stdout.splitlines()] == api.events


# For people


def test_status_shows_every_app(api: FakeApi) -> None:
    busy = answers.app("till", active=None, health="none", deployment={"id": "d7", "state": "running", "step": "build"})
    api.gives("GET", "/v1/apps", {"apps": [answers.app(update=answers.update()), busy]})

    done = changeover("status")

    heading, shop, till = done.stdout.splitlines()
    assert heading.split() == ["APP", "ACTIVE", "STANDBY", "HEALTH", "UPDATE", "DEPLOYMENT", "URL"]
    assert shop.split() == ["shop", "●", "v1.0.0", "–", "healthy", "v1.1.0", "–", "http://shop.localhost:8080"]
    assert till.split() == ["till", "–", "–", "none", "–", "d7", "build", "http://till.localhost:8080"]


def test_status_of_one_app_shows_it_alone(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps/shop", answers.app())

    done = changeover("status", "shop")

    assert [line.split()[0] for line in done.stdout.splitlines()] == ["APP", "shop"]


def test_status_says_what_a_failed_migration_left_and_how_to_settle_it(api: FakeApi) -> None:
    left = {"deployment": "d1", "since": answers.before(minutes=2), "says": "0003 [b] stands.", "remedy": "Restore b1."}
    api.gives("GET", "/v1/apps", {"apps": [answers.app(unsettled=left | {"backup": "b1"})]})

    shown = changeover("status").stdout

    assert "healthy, data unsettled" in shown
    assert "✗ shop: 0003 [b] stands.\n  💡 Restore b1." in shown


def test_a_dry_run_prints_the_plan_and_deploys_nothing(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps/shop/plan", PLAN)
    api.gives("GET", "/v1/apps/shop", answers.app())
    api.gives("POST", "/v1/apps/shop/update/check", answers.update())

    done = changeover("deploy", "shop", "--dry-run")

    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "1. prepare  Check engine, proxy and disk space.",
        "2. switch   Route new requests to the new container.",
    ]
    assert [(one.method, one.path, one.query) for one in api.asked] == [
        ("GET", "/v1/apps/shop/plan", {"kind": "deploy"}),
        ("POST", "/v1/apps/shop/update/check", {}),
        ("GET", "/v1/apps/shop", {}),
    ]


def test_a_deployment_that_is_waited_for_shows_its_steps_and_ends_with_its_outcome(api: FakeApi) -> None:
    api.gives("POST", "/v1/apps/shop/deployments", answers.deployment(state="queued"), 202)
    api.gives("GET", "/v1/deployments/d42", answers.deployment(paused=0.42))
    events = answers.Events().add("queued", "d42", by="ci").steps("d42", "prepare", "build", "switch")
    api.events = events.add("live", "d42", colour="green", seconds=2.31).all

    done = changeover("deploy", "shop", "--wait")

    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "queued d42",
        "✓ prepare",
        "✓ build",
        "✓ switch",
        "✓ Live: shop v1.1.0 on green after 2.31 s.",
        "  Previous release: v1.0.0",
        "  New requests were paused for 0.42 s.",
    ]


@pytest.mark.parametrize(
    ("app", "says"),
    [
        (answers.app(), "✓ v1.0.0 is active on blue and healthy."),
        (answers.app(health="stopped"), "✗ v1.0.0 is active on blue; its health is 'stopped'. See: changeover doctor"),
        (answers.app(active=None), "✗ shop has no active release."),
    ],
)
def test_a_deployment_that_failed_says_why_and_what_is_active_now(api: FakeApi, app: Any, says: str) -> None:
    api.gives("POST", "/v1/apps/shop/deployments", answers.deployment("d43", "queued"), 202)
    api.gives("GET", "/v1/deployments/d43", answers.failed())
    api.gives("GET", "/v1/apps/shop", app)
    api.events = answers.Events().add("failed", "d43", step="verify", cause="It ended.").all

    done = changeover("deploy", "shop", "--wait")

    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "✗ shop v1.1.0 failed at verify: The container exited with code 1 before it was ready.",
        "  Exit code 1",
        "  │ opening the shop",
        "  │ ModuleNotFoundError: No module named 'till'",
        "  • Removed the container shop-green.",
        f"  {says}",
        "  💡 Look at the last lines of its log.",
    ]


def test_a_failure_is_told_also_when_the_app_cannot_be_asked_for(api: FakeApi) -> None:
    api.gives("POST", "/v1/apps/shop/rollback", answers.failed(kind="rollback"), 502)
    api.refuses("GET", "/v1/apps/shop", 503, detail="The journal cannot be read.")

    done = changeover("rollback", "shop", "--yes")

    assert done.exit_code == 1
    assert "failed at verify" in done.stdout
    assert "The journal cannot be read." in done.stderr


@pytest.mark.parametrize(
    ("state", "exit_code"),
    [("queued", 0), ("live", 0), ("cancelled", 1), ("failed", 1), ("superseded", 3), ("promoted", 0)],
)
def test_the_exit_code_says_how_a_deployment_ended(api: FakeApi, state: str, exit_code: int) -> None:
    api.gives("POST", "/v1/apps/shop/deployments", answers.deployment(state=state))

    assert changeover("deploy", "shop").exit_code == exit_code
    assert changeover("deploy", "shop", "--json").exit_code == exit_code


@pytest.mark.parametrize(
    ("name", "route"), [("pause", "pause"), ("hold", "pause"), ("resume", "resume"), ("release", "resume")]
)
def test_hold_and_release_are_old_names_of_pause_and_resume(api: FakeApi, name: str, route: str) -> None:
    api.gives("POST", f"/v1/apps/shop/{route}", {"app": "shop", "paused": route == "pause"})

    done = changeover(name, "shop")

    assert done.exit_code == 0
    assert done.stdout.startswith(f"shop is {route}d.")


def test_hold_and_release_are_not_in_the_help() -> None:
    listed = {name for name, one in typer.main.get_group(command).commands.items() if not one.hidden}

    assert {"pause", "resume"} <= listed
    assert not {"hold", "release"} & listed


@pytest.mark.parametrize(
    ("problems", "notices", "exit_code", "lines"),
    [
        ([], [], 0, ["{file} is valid."]),
        ([], ["hot_reload has no effect yet."], 0, ["{file} is valid.", "Notice: hot_reload has no effect yet."]),
        (["c.yaml:2: disk: expected a mapping"], ["n"], 2, ["c.yaml:2: disk: expected a mapping", "Notice: n"]),
    ],
)
def test_validate_prints_problems_and_notices_and_fails_for_problems_alone(
    api: FakeApi, tmp_path: Path, problems: list[str], notices: list[str], exit_code: int, lines: list[str]
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("disk: 1\n")
    api.gives("POST", "/v1/config/validate", {"problems": problems, "notices": notices})

    done = changeover("validate", str(file))

    assert done.exit_code == exit_code
    assert done.stdout.splitlines() == [line.format(file=file) for line in lines]
    assert api.asked[0].body == {"text": "disk: 1\n", "name": "c.yaml"}


def test_a_file_is_checked_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the orchestrator's own program, and never by one of that name in the folder that the person is in."""
    monkeypatch.setenv("CHANGEOVER_URL", "http://127.0.0.1:1")
    (tmp_path / "orchestrator").mkdir()
    (tmp_path / "orchestrator" / "__init__.py").write_text("raise SystemExit('this is somebody else's program')\n")
    monkeypatch.chdir(tmp_path)
    wrong, right = tmp_path / "wrong.yaml", tmp_path / "right.yaml"
    wrong.write_text("apps:\n  shop:\n    route: {hots: [shop.test]}\n")
    right.write_text("hot_reload: {enabled: false}\n")

    of_wrong, of_right = changeover("validate", str(wrong)), changeover("validate", str(right), "--json")

    assert of_wrong.exit_code == 2
    assert of_wrong.stdout == "wrong.yaml:3: apps.shop.route.hots: unknown key. Did you mean 'hosts'?\n"
    assert of_right.exit_code == 0
    assert json.loads(of_right.stdout)["problems"] == []
    assert "hot_reload: has no effect yet" in of_right.stdout


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("size", [MOST_BYTES + 1, 3 * 2**20])
def test_a_file_that_is_too_large_is_told_so_and_not_by_the_limit_of_a_request(
    api: FakeApi, tmp_path: Path, size: int, options: tuple[str, ...]
) -> None:
    file = tmp_path / "large.yaml"
    file.write_text("#" * size)

    done = changeover("validate", str(file), *options)

    assert done.exit_code == 2
    assert "large.yaml: the file is larger than 256 kB" in done.stdout
    assert not options or json.loads(done.stdout)["notices"] == []
    assert MOST_BYTES == yaml_text.MOST_BYTES


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"apps: {}\nname: \xe9\n")

    missing = changeover("validate", str(tmp_path / "none.yaml"))
    binary = changeover("validate", str(tmp_path / "latin.yaml"))

    assert missing.exit_code == 2
    assert "cannot be read: No such file or directory." in missing.stderr
    assert "or name it: changeover validate FILE" in missing.stderr
    assert binary.exit_code == 2
    assert "latin.yaml:2: not UTF-8 text: invalid continuation byte at byte 15" in binary.stderr
    assert "Save the file as UTF-8." in binary.stderr


def test_a_restore_asks_before_it_replaces_data(api: FakeApi) -> None:
    backup = {
        "id": "b1", "app": "shop", "version": "v1", "reason": "asked", "created_at": answers.before(days=2),
        "files": 3, "data_size": 4096, "archive_size": 1024, "releases_since": ["v1.1.0"],
    }  # fmt: skip
    api.gives("GET", "/v1/apps/shop", answers.app())
    api.gives("GET", "/v1/apps/shop/backups", {"backups": [backup]})
    api.gives("POST", "/v1/apps/shop/backups/b1/restore", answers.deployment(kind="restore", backup="b2"))
    api.gives("GET", "/v1/deployments/d42", answers.deployment(kind="restore", backup="b2"))
    api.events = answers.Events().add("restored", "d42").add("ended", "d42").all

    no = changeover("backup", "restore", "shop", "b1", typed="n\n")
    asked_for = api.requests("POST", "/v1/apps/shop/backups/b1/restore")
    yes = changeover("backup", "restore", "shop", "b1", typed="y\n")

    assert no.exit_code == 1
    assert asked_for == []
    assert "Everything that shop wrote since then is replaced" in no.stderr
    assert "Releases since then: v1.1.0." in no.stderr
    assert yes.exit_code == 0
    assert "Restored: shop" in yes.stdout
    assert "Backup of the data as it was before: b2" in yes.stdout


def test_an_error_ends_a_command_with_cause_log_remedy_and_exit_code(api: FakeApi) -> None:
    api.refuses("POST", "/v1/apps/shop/rollback", 409, detail="shop has no standby.", remedy="Deploy it.", log=["[x]"])

    done = changeover("rollback", "shop", "--yes")

    assert done.exit_code == 3
    assert done.stdout == ""
    assert done.stderr.splitlines() == ["shop has no standby.", "  │ [x]", "Deploy it."]


def test_no_server_is_said_so_with_exit_code_4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CHANGEOVER_TOKEN", "x")

    done = changeover("status")

    assert done.exit_code == 4
    assert "Nothing answers at http://127.0.0.1:1" in done.stderr


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # Any: Typer's own click
    yield path, group
    for name, one in getattr(group, "commands", {}).items():
        yield from commands(one, (*path, name))


ALL = dict(commands(typer.main.get_command(command)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_and_parameter_has_a_help_text_of_whole_sentences(path: tuple[str, ...]) -> None:
    shown = changeover(*path, "--help")

    assert shown.exit_code == 0
    assert (ALL[path].help or "").strip()
    for parameter in ALL[path].params:
        help_text = getattr(parameter, "help", None)
        assert help_text, f"{path} {parameter.name}"
        assert help_text.endswith((".", "?")), f"{path} {parameter.name}: {help_text}"
        assert "…" not in help_text


def test_every_command_that_answers_can_answer_in_json() -> None:
    without = {path for path, one in ALL.items() if not hasattr(one, "commands")} - {
        path for path, one in ALL.items() if any(parameter.name == "as_json" for parameter in one.params)
    }

    assert without == {("panel",)}


OPEN = {
    "id": "0123456789ab", "token": "ann", "origin": "192.0.2.7", "created_at": "2126-01-01T00:00:00Z",
    "used_at": "2126-01-01T01:00:00Z", "expires_at": "2126-01-08T00:00:00Z",
}  # fmt: skip


def test_open_sessions_are_listed_and_one_is_ended(api: FakeApi) -> None:
    api.gives("GET", "/v1/sessions", {"sessions": [OPEN]})
    api.gives("DELETE", "/v1/sessions/0123456789ab", {"ended": "0123456789ab"})

    listed = changeover("session", "list")
    ended = changeover("session", "end", "0123456789ab", "--yes")

    assert all(text in listed.stdout for text in ("0123456789ab", "ann", "192.0.2.7"))
    assert ended.stdout == "Session 0123456789ab has ended.\n"


LEFT = {"app": "old", "containers": ["old-blue"], "volumes": ["old-data"], "images": ["x/old:1"], "backups": ["b1"]}


def test_what_an_app_has_left_is_removed_after_a_question_that_names_it(api: FakeApi) -> None:
    api.gives("GET", "/v1/leftovers/old", LEFT)
    api.gives("DELETE", "/v1/leftovers/old", LEFT)

    refused = changeover("remove", "old", typed="n\n")
    removed = changeover("remove", "old", typed="y\n")

    assert all(name in refused.output for name in ("old-blue", "old-data", "x/old:1", "b1", "cannot be brought back"))
    assert refused.exit_code == 1
    assert removed.exit_code == 0
    assert [one.method for one in api.asked] == ["GET", "GET", "DELETE"]


def test_a_deployment_that_drains_says_what_it_waits_for_and_what_was_cut(api: FakeApi) -> None:
    cut: dict[str, Any] = {"requests": 1, "uploads": 0, "streams": 0, "websockets": 2}
    api.gives("POST", "/v1/apps/shop/deployments", answers.deployment(state="queued"), 202)
    api.gives("GET", "/v1/deployments/d42", answers.deployment(cut=cut))
    events = answers.Events().steps("d42", "switch").add("live", "d42", colour="green", seconds=2.31)
    events = events.add("draining", "d42", colour="blue", **cut, waited=1.0, limit=30.0, paused=False)
    api.events = events.add("drained", "d42", colour="blue", **cut, seconds=30.1, paused=False).all

    done = changeover("deploy", "shop", "--wait")

    assert done.stdout.splitlines() == [
        "✓ switch",
        "  waits for 1 request, 2 WebSockets at blue: 1 s of at most 30 s (drain.timeout); the new release is live",
        "  1 request, 2 WebSockets at blue cut after 30 s (drain.timeout)",
        "✓ Live: shop v1.1.0 on green after 2.31 s.",
        "  Previous release: v1.0.0",
        "  Cut at the release before: 1 request, 2 WebSockets.",
    ]


def test_history_says_what_each_deployment_cut(api: FakeApi) -> None:
    cut = {"requests": 0, "uploads": 1, "streams": 0, "websockets": 0}
    api.gives("GET", "/v1/apps/shop/deployments", {"deployments": [answers.deployment(cut=cut)]})

    assert "1 upload" in changeover("history", "shop").stdout


def test_a_backups_configuration_is_printed_as_it_is(api: FakeApi) -> None:
    path = "/v1/apps/shop/backups/20260101-000000-000000/extract"
    api.gives("GET", path, {"files": [{"name": "c.yaml", "text": "apps: {}\n# [bold]\n"}]})

    ended = changeover("backup", "extract", "shop", "20260101-000000-000000", "config")

    assert ended.exit_code == 0
    assert ended.stdout == "apps: {}\n# [bold]\n"
    assert api.requests("GET", path)[0].query == {"part": "config"}


@pytest.mark.timeout(30)
def test_a_rollback_that_brings_data_back_ends_with_its_drain(api: FakeApi) -> None:
    """It is told by another kind of event than a deployment: a command that waited for that one never ended."""
    restored = answers.deployment(kind="rollback", state="live")
    api.gives("POST", "/v1/apps/shop/rollback", restored)
    api.gives("GET", "/v1/deployments/d42", restored)
    events = answers.Events().steps("d42", "switch").add("restored", "d42", backup="b1", active="v1.0.0")
    api.events = events.add("ended", "d42", state="live").all

    done = changeover("rollback", "shop", "--restore", "b1", "--yes")

    assert done.exit_code == 0


CONFIGURATION = "/v1/apps/shop/backups/20260101-000000-000000/configuration"
RESTORE_CONFIGURATION = ("backup", "restore", "shop", "20260101-000000-000000", "--configuration")


def test_an_archived_configuration_is_shown_asked_about_and_put_back(api: FakeApi) -> None:
    lines = ["--- now", "+++ backup", "-    run: {port: 1}", "+    run: {port: 2}"]
    api.gives("GET", CONFIGURATION, {"lines": lines, "refused": "", "digest": "a" * 64})
    api.gives("POST", CONFIGURATION, {"digest": "b" * 64})

    refused = changeover(*RESTORE_CONFIGURATION, typed="n\n")
    assert refused.exit_code == 1
    assert "+    run: {port: 2}" in refused.stderr
    assert not api.requests("POST", CONFIGURATION)

    done = changeover(*RESTORE_CONFIGURATION, typed="y\n")
    assert done.exit_code == 0
    assert api.requests("POST", CONFIGURATION)[0].body == {"digest": "a" * 64}
    assert "Its data was not changed" in done.stdout


def test_an_archived_configuration_that_cannot_be_put_back_says_why(api: FakeApi) -> None:
    api.gives("GET", CONFIGURATION, {"lines": [], "refused": "The backup has no app 'shop'.", "digest": "a" * 64})

    ended = changeover(*RESTORE_CONFIGURATION, "--yes")

    assert ended.exit_code == 3
    assert "The backup has no app 'shop'." in ended.stderr
    assert not api.requests("POST", CONFIGURATION)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("logs", "shop", "--tail", "0"), "--tail 0 shows no line. Add --follow, or ask for 1 to 10000 lines."),
        (
            ("logs", "shop", "--tail", "10001"),
            "Invalid value for '--tail': Input should be less than or equal to 10000",
        ),
        (
            ("pause", "shop", "--limit", "0"),
            "Invalid value for '--limit': Input should be greater than or equal to 0.001",
        ),
    ],
)
def test_a_number_that_no_request_may_have_is_refused_by_the_name_of_its_option(
    api: FakeApi, arguments: tuple[str, ...], says: str
) -> None:
    done = changeover(*arguments)

    assert done.exit_code == 2
    assert says in " ".join(done.stderr.replace("│", " ").split())
    assert api.asked == []


@pytest.mark.parametrize(
    "name", ["deploy", "rollback", "check", "history", "logs", "wait", "backup create", "backup list", "migrate status"]
)
def test_where_an_app_may_be_left_out_the_help_says_that_the_panel_is_meant(name: str) -> None:
    assert "without it, the panel" in " ".join(changeover(*name.split(), "--help").stdout.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "path", "answer"),
    [
        (("logs", "shop"), "/v1/apps/shop/logs", {"app": "shop", "container": "c", "lines": ["a\tb  [x]", "c"]}),
        (
            ("backup", "extract", "shop", "b1", "config"),
            "/v1/apps/shop/backups/b1/extract",
            {"app": "shop", "backup": "b1", "part": "config", "files": [{"name": "x", "text": "a\tb  [x]\nc\n"}]},
        ),
    ],
)
def test_text_from_outside_is_printed_as_it_is(
    api: FakeApi, arguments: tuple[str, ...], path: str, answer: dict[str, Any]
) -> None:
    """Tabs became blanks: a configuration that was put back from it was another one."""
    api.gives("GET", path, answer)

    assert changeover(*arguments).stdout == "a\tb  [x]\nc\n"


SAID = {"service": "json (secrets/notify, line 2)", "taken": False, "says": "error=[red]500", "seconds": 0.2}


@pytest.mark.parametrize(
    ("services", "problems", "exit_code", "says"),
    [
        ([SAID | {"taken": True}], [], 0, "✓ json (secrets/notify, line 2) took it after 0.2 s"),
        ([SAID | {"taken": True}, SAID], [], 1, "✗ json (secrets/notify, line 2): error=[red]500"),
        ([], ["secrets/notify cannot be read."], 1, "✗ secrets/notify cannot be read."),
    ],
)
def test_a_test_of_notices_prints_what_each_service_said_and_fails_if_one_did_not_take_it(
    api: FakeApi, services: list[dict[str, Any]], problems: list[str], exit_code: int, says: str
) -> None:
    api.gives("POST", "/v1/notices/test", {"app": None, "services": services, "problems": problems})

    done = changeover("notify", "test")

    assert done.exit_code == exit_code
    assert says in done.stdout.splitlines()
