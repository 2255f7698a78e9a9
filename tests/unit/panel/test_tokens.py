"""`changeover token create` asks for a token for some apps and a time; `changeover audit` reads the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi

DAY_S = 24 * 3600


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with FakeApi() as api:
        monkeypatch.setenv("CHANGEOVER_URL", api.url)
        monkeypatch.setenv("CHANGEOVER_TOKEN", "co_secret")
        api.gives("POST", "/v1/tokens", {"name": "ci", "token": "co_new", "scope": "deploy"}, 201)
        yield api


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (
            ("--app", "shop", "--scope", "deploy", "--expires", "90d"),
            {"scope": "deploy", "apps": ["shop"], "expires_in": 90 * DAY_S},
        ),
        (("--app", "shop", "--app", "blog", "--expires", "12h"), {"apps": ["shop", "blog"], "expires_in": 12 * 3600}),
        ((), {"scope": "deploy"}),
    ],
)
def test_a_token_is_asked_for_with_its_apps_scope_and_time(
    api: FakeApi, arguments: tuple[str, ...], wanted: dict[str, Any]
) -> None:
    done = changeover("token", "create", "ci", *arguments)

    (asked,) = api.requests("POST", "/v1/tokens")
    assert done.exit_code == 0
    assert done.stdout == "co_new\n"
    assert asked.body["name"] == "ci"
    assert {name: asked.body.get(name) for name in wanted} == wanted
    assert wanted.get("apps") or not asked.body.get("apps")
    assert wanted.get("expires_in") or not asked.body.get("expires_in")


@pytest.mark.parametrize("duration", ["90", "-1d", "1.5d", "90 days", "d", "9" * 30 + "d"])
def test_a_time_that_is_none_is_a_usage_error_and_makes_no_token(api: FakeApi, duration: str) -> None:
    done = changeover("token", "create", "ci", "--expires", duration)

    assert done.exit_code == 2
    assert "is not a duration" in done.stderr
    assert api.asked == []


@pytest.mark.parametrize("duration", ["0s", "0d", "000w"])
def test_a_token_that_would_expire_at_once_is_not_made(api: FakeApi, duration: str) -> None:
    done = changeover("token", "create", "ci", "--expires", duration)

    assert done.exit_code == 2
    assert done.stderr.startswith(f"--expires {duration} would expire at once. Use a longer time")
    assert api.asked == []


def test_the_audit_log_is_read_with_failed_tries_outcomes_and_the_next_page(api: FakeApi) -> None:
    entry = {"id": 7, "at": answers.before(), "origin": "203.0.113.7", "app": "shop"}
    refused = {"who": "", "action": "GET /v1/apps", "status": 401, "outcome": "refused", "reason": "It is [unknown]."}
    done = {"who": "ci", "action": "POST /v1/apps/shop/rollback", "status": 200, "outcome": "done", "reason": ""}
    api.gives("GET", "/v1/audit", {"entries": [entry | done, entry | refused], "before": 7})

    shown = changeover("audit", "--app", "shop", "--refused", "--limit", "2")

    assert shown.exit_code == 0
    assert all(said in shown.stdout for said in ("POST /v1/apps/shop/rollback", "done 200", "203.0.113.7", "ci"))
    assert all(said in shown.stdout for said in ("refused 401", "It is [unknown].", "--before 7"))
    assert api.asked[0].query == {"limit": "2", "app": "shop", "refused": "true"}
    assert "Older entries: changeover audit --app shop --refused --limit 2 --before 7" in shown.stdout
