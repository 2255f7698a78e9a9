"""What the configuration reader takes, and what it refuses."""

from __future__ import annotations

import string
from contextlib import suppress
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config import loader
from orchestrator.config.schema import Config
from orchestrator.errors import ConfigError

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
    config = loader.parse(SEED_CONFIG, "control-panel-config.yaml").config

    assert config.update.git.remote == "origin"
    assert config.update.backup.keep_backups == 5
    assert config.hot_reload.debounce_ms == 500


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (
            """
hot_reload:
  enabled: true
  watch_paths:
    - ./control_panel.py
    - ./dashboard_widgets/
  exclude_patterns:
    - "**/__pycache__/**"
    - "**/*.pyc"
  debounce_ms: 500  # Wait 500ms after last change
  reload_notification: true
  auto_reload: true  # Set false to require manual reload
""",
            {"hot_reload.watch_paths": ("./control_panel.py", "./dashboard_widgets/"), "hot_reload.debounce_ms": 500},
        ),
        (
            """
update:
  enabled: true
  source: git  # git | pypi | url

  git:
    remote: origin
    branch: main
    auto_fetch: true  # Fetch updates on startup
    fetch_interval: 3600  # Check every hour

  check_on_startup: true
  notify_on_update: true
  auto_update: false  # Require manual confirmation
""",
            {"update.source": "git", "update.git.branch": "main", "update.git.fetch_interval": 3600},
        ),
        (
            """
update:
  source: pypi
  pypi:
    package_name: control-panel
    index_url: null  # null = the index that pip is configured with
    pre_release: false  # Allow pre-release versions
""",
            {
                "update.source": "pypi",
                "update.pypi.package_name": "control-panel",
                "update.pypi.index_url": None,
                "update.pypi.pre_release": False,
            },
        ),
        (
            """
update:
  source: pypi
  pypi:
    package_name: control-panel
    index_url: https://index.example.com/simple
    pre_release: false  # Allow pre-release versions
""",
            {"update.pypi.index_url": "https://index.example.com/simple"},
        ),
        (
            """
update:
  source: url
  url:
    manifest_url: https://example.com/control-panel/manifest.json
    download_url: https://example.com/control-panel/{version}.tar.gz
""",
            {
                "update.source": "url",
                "update.url.manifest_url": "https://example.com/control-panel/manifest.json",
                "update.url.download_url": "https://example.com/control-panel/{version}.tar.gz",
            },
        ),
    ],
)
def test_each_example_of_the_original_specification_loads_unchanged(text: str, values: dict[str, object]) -> None:
    """What each key does is shown by the tests of test_key_effects.py."""
    config = loader.parse(text, "control-panel-config.yaml").config

    assert {key: attrgetter(key)(config) for key in values} == values
    panel = config.app("panel")
    assert panel is not None
    assert panel.update == config.update


def test_the_panel_may_follow_an_image_of_a_registry() -> None:
    """It was refused: the panel's own section has a target of a build, and images are not built."""
    config = loader.parse("update: {source: registry, registry: {image: r.test/panel}}\n", "c.yaml").config

    panel = config.app("panel")
    assert panel is not None
    assert panel.build.target is None


def test_an_app_with_a_dockerfile_and_a_port_needs_three_lines() -> None:
    text = (
        "apps:\n  blog:\n    update: {git: {remote: /srv/blog}}\n    run: {port: 3000}\n    route: {host: blog.test}\n"
    )

    app = loader.parse(text, "c.yaml").config.all_apps()["blog"]

    assert app.run.port == 3000
    assert app.standby == "paused"
    assert app.migrate is None


def test_an_empty_file_means_all_defaults() -> None:
    assert loader.parse("", "c.yaml").config == Config()


def test_every_problem_of_a_file_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        loader.parse("updat: {}\ndisk: {min_free_mb: plenty}\n", "c.yaml")

    assert {problem.line for problem in refused.value.problems} == {1, 2}


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"c.yaml:2: update: the key is set twice, first in line 1"):
        loader.parse("update: {}\nupdate: {}\n", "c.yaml")


@given(st.text(alphabet=string.printable, max_size=200))
def test_no_text_makes_the_configuration_reader_stumble(text: str) -> None:
    # Whatever is refused is refused with our own error; any other would fail the test.
    with suppress(ConfigError):
        loader.parse(text, "c.yaml")


@pytest.mark.parametrize("context", ["..", "../shop", "a/../../b", ":/", "/srv"])
def test_a_build_context_outside_of_the_repository_is_refused(context: str) -> None:
    """Git said that the whole repository could not be read, and the advice was to correct its address."""
    text = f"apps:\n  shop:\n    route: {{host: shop.test}}\n    build: {{context: '{context}'}}\n"

    with pytest.raises(ConfigError, match=r"build\.context: expected a path relative to the root of the repository"):
        loader.parse(text, "c.yaml")


@pytest.mark.parametrize("context", [".", "./", "services/..", "..shop"])
def test_a_build_context_in_the_repository_may_be_written_in_any_way(context: str) -> None:
    text = f"apps:\n  shop:\n    route: {{host: shop.test}}\n    build: {{context: '{context}'}}\n"

    assert loader.parse(text, "c.yaml").config.apps["shop"].build.context == context
