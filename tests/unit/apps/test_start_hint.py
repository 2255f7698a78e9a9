"""A container that was not allowed to do something: the failure says which key to set."""

from __future__ import annotations

import pytest

from orchestrator.apps.start_hint import exit_hint, permission_hint
from orchestrator.config.run_schema import Run

NGINX = 'nginx: [emerg] mkdir() "/var/lib/nginx/body" failed (13: Permission denied)'
CHOWN = 'nginx: [emerg] chown("/var/lib/nginx/body", 33) failed (1: Operation not permitted)'
SETGID = "setgid(33) failed (1: Operation not permitted)"
APACHE = "(13)Permission denied: AH00091: apache2: could not open error log file /var/log/apache2/error.log."
NODE = "Error: EACCES: permission denied, open '/app/cache.json'"


@pytest.mark.parametrize("line", [NGINX, CHOWN, SETGID, APACHE, NODE])
def test_the_first_hint_is_the_set_that_servers_need_which_start_as_root(line: str) -> None:
    hint = permission_hint(["starting", line], Run(), "web")

    assert "set run.capabilities of web: [chown, dac_override, setgid, setuid]" in hint
    assert "privileges" not in hint


def test_a_capability_that_is_still_missing_is_added() -> None:
    assert "[chown, setgid]" in permission_hint([SETGID], Run(capabilities=("chown",)), "web")
    assert "[chown, dac_override]" in permission_hint([NGINX], Run(capabilities=("chown",)), "web")


def test_what_no_capability_gives_is_said_so() -> None:
    hint = permission_hint([NGINX], Run(capabilities=("chown", "dac_override", "setgid", "setuid")), "web")

    assert "Permission denied" in hint
    assert "run.data" in hint


def test_other_logs_and_apps_with_all_privileges_get_no_hint() -> None:
    assert permission_hint(["listening", "GET /denied 403"], Run(), "web") == ""
    assert permission_hint([CHOWN], Run(privileges=True), "web") == ""


def test_a_server_that_went_to_the_background_is_told_to_stay_in_front() -> None:
    assert "in the foreground" in exit_hint(0, ["starting"], Run(), "web")
    assert "run.command of web" in exit_hint(0, ["starting"], Run(), "web")
    assert "run.capabilities" in exit_hint(0, [NGINX], Run(), "web")
    assert exit_hint(1, ["starting"], Run(), "web") == ""
