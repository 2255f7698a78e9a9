"""The decisions that are made without touching anything: configuration, changelog, proxy, build errors."""

from __future__ import annotations

import re
import runpy
import string
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import config_file
from orchestrator.config import Config
from orchestrator.engine.build import build_command, tip_for, why_it_failed
from orchestrator.errors import ConfigError
from orchestrator.journal import now
from orchestrator.model import Deployment, Kind, State, StepName, StepRecord, StepState
from orchestrator.recovery import was_switching
from orchestrator.sources.changelog import parse_commit
from orchestrator.tokens import Scope
from panel.model import Change
from panel.show import changelog

SEED_CONFIG = """
hot_reload:
  enabled: true
  watch_paths: ["./control_panel.py", "./worker_manager.py"]
  debounce_ms: 500
  auto_reload: true
  notification: true

update:
  enabled: true
  source: git  # git | pypi | url
  git:
    remote: origin
    branch: main
    auto_fetch: true
    fetch_interval: 3600  # Check every hour
  check_on_startup: true
  notify_on_update: true
  auto_update: false  # Require manual confirmation
  background_check:
    enabled: true
    interval: 3600  # seconds
    notify: true
  backup:
    create_before_update: true
    keep_backups: 5  # Keep last 5 backups
    backup_location: ~/.control-panel/backups
  migrations:
    enabled: true
    auto_run: true  # Run migrations automatically during update
    backup_before_migration: true
  rollback:
    enabled: true
    auto_rollback_on_failure: true
    max_rollback_attempts: 3
"""


def test_the_users_own_configuration_loads_unchanged() -> None:
    config = config_file.parse(SEED_CONFIG, "control-panel-config.yaml")

    assert config.update.git.remote == "origin"
    assert config.update.backup.keep_backups == 5
    assert config.hot_reload.debounce_ms == 500


def test_an_app_with_a_dockerfile_and_a_port_needs_three_lines() -> None:
    text = (
        "apps:\n  blog:\n    update: {git: {remote: /srv/blog}}\n    run: {port: 3000}\n    route: {host: blog.test}\n"
    )

    app = config_file.parse(text, "c.yaml").all_apps()["blog"]

    assert app.run.port == 3000
    assert app.standby == "warm"
    assert app.migrate is None


@pytest.mark.parametrize("page", ["README.md", "examples/shop/README.md"])
def test_the_examples_in_the_documentation_are_valid(page: str) -> None:
    text = (Path(__file__).parent.parent / page).read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)

    assert examples
    for example in examples:
        assert "shop" in config_file.parse(example, page).apps


def test_every_configuration_key_stands_in_the_documentation() -> None:
    """The page is made from the models: it is out of date when making it again gives another one."""
    root = Path(__file__).parent.parent
    written = (root / "docs" / "configuration.md").read_text(encoding="utf-8")

    made = runpy.run_path(str(root / "tools" / "configuration-page"))["page"]()

    assert written == made, "run tools/configuration-page"


def test_an_empty_file_means_all_defaults() -> None:
    assert config_file.parse("", "c.yaml") == Config()


def test_every_problem_of_a_file_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        config_file.parse("updat: {}\ndisk: {min_free_mb: plenty}\n", "c.yaml")

    assert {problem.line for problem in refused.value.problems} == {1, 2}


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"c.yaml:2: update: stands here a second time"):
        config_file.parse("update: {}\nupdate: {}\n", "c.yaml")


@given(st.text(alphabet=string.printable, max_size=200))
def test_no_text_makes_the_configuration_reader_stumble(text: str) -> None:
    # Whatever is refused is refused with our own error; any other would fail the test.
    with suppress(ConfigError):
        config_file.parse(text, "c.yaml")


@pytest.mark.parametrize(
    ("message", "kind", "scope", "subject", "breaking"),
    [
        ("feat: add a cart", "feat", "", "add a cart", False),
        ("fix(cart): empty it", "fix", "cart", "empty it", False),
        ("feat(api)!: drop v1", "feat", "api", "drop v1", True),
        ("refactor: tidy\n\nBREAKING CHANGE: the port is 9000", "refactor", "", "tidy", True),
        ("feature: add", "feat", "", "add", False),
        ("bug: mend", "fix", "", "mend", False),
        ("Merge this", "", "", "Merge this", False),
        ("Note: not a type of theirs", "note", "", "not a type of theirs", False),
    ],
)
def test_commits_are_read_by_their_convention(
    message: str, kind: str, scope: str, subject: str, breaking: bool
) -> None:
    change = parse_commit("abc", message)

    assert (change.kind, change.scope, change.subject, change.breaking) == (kind, scope, subject, breaking)


def test_a_changelog_puts_what_breaks_first_and_what_keeps_no_convention_last() -> None:
    changes = (
        Change(revision="1", kind="", scope="", subject="whatever"),
        Change(revision="2", kind="fix", scope="till", subject="count right"),
        Change(revision="3", kind="feat", scope="", subject="a cart"),
        Change(revision="4", kind="feat", scope="", subject="a new port", breaking=True),
    )

    lines = [line.strip() for line in changelog(changes) if line]

    assert [line for line in lines if line.startswith("•")] == [
        "• a new port", "• a cart", "• till: count right", "• whatever",
    ]  # fmt: skip


def test_build_errors_are_told_in_a_sentence_with_a_tip() -> None:
    lines = deque(["#5 ERROR: process", "ERROR: failed to solve: no space left on device"])

    assert why_it_failed(lines) == "The image does not build: no space left on device."
    assert "disk is full" in tip_for(lines)


def test_a_build_says_everything_it_was_told() -> None:
    command = build_command(Path("/c"), Path("/c/D"), "a/b:1", Path("/d"), "web", {"B": "2", "A": "1"})

    assert command[-1] == "/c"
    assert command[command.index("--target") + 1] == "web"
    assert [command[i + 1] for i, word in enumerate(command) if word == "--build-arg"] == ["A=1", "B=2"]


@pytest.mark.parametrize(
    ("held", "needed", "may"),
    [
        (Scope.READ, Scope.READ, True),
        (Scope.READ, Scope.DEPLOY, False),
        (Scope.DEPLOY, Scope.READ, True),
        (Scope.DEPLOY, Scope.ADMIN, False),
        (Scope.ADMIN, Scope.DEPLOY, True),
    ],
)
def test_scopes_cover_those_below_them(held: Scope, needed: Scope, may: bool) -> None:
    assert held.covers(needed) is may


def test_only_a_switch_that_was_begun_is_finished_after_a_restart() -> None:
    deployment = Deployment("1", "shop", Kind.DEPLOY, State.RUNNING, "me", now())
    verify = StepRecord(StepName.VERIFY, StepState.RUNNING, now())
    switch = StepRecord(StepName.SWITCH, StepState.RUNNING, now())

    assert not was_switching(replace(deployment, steps=(verify,)))
    assert was_switching(replace(deployment, steps=(verify, switch)))
