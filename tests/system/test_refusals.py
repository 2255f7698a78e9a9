"""Bad input and bad luck: a clear message that says what to do, and what runs is left as it is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.shop import Shop
from tests.support.stack import Stack, shop_config

RUN, ROUTE = "run: {port: 8000, data: /data}", "route: {host: shop.test}"


@pytest.fixture
def good_config(shop: Shop) -> Iterator[str]:
    shop.deployed()
    text = shop.stack.config.read_text()
    yield text
    shop.stack.set_config(text)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (RUN, "run: {port: 8000, dta: /data}", "apps.shop.run.dta: unknown key. Did you mean 'data'?"),
        # What else can be wrong with a key is in tests/unit/config/test_messages.py.
        (ROUTE, "route: {host: 'http://shop.test'}", "apps.shop.route.host: expected a host name"),
        (ROUTE, "route: {host: localhost}", "apps.shop.route.host: localhost is a host of the panel"),
        ("apps:", "apps: [", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_refused_with_its_line_and_everything_goes_on(
    shop: Shop, good_config: str, tmp_path: Path, old: str, new: str, expected: str
) -> None:
    wrong = good_config.replace(old, new)
    assert wrong != good_config
    line = next(number for number, text in enumerate(wrong.splitlines(), 1) if new.splitlines()[0] in text)
    file = tmp_path / "control-panel-config.yaml"
    file.write_text(wrong)

    validated = shop.stack.command("validate", str(file))
    shop.stack.set_config(wrong)
    doctor = shop.stack.command("doctor")

    assert validated.returncode == 2, validated.stdout
    assert expected in validated.stdout
    if "not valid YAML" not in expected:
        assert f"control-panel-config.yaml:{line}: " in validated.stdout
    assert doctor.returncode == 1
    assert expected in doctor.stdout
    assert shop.stack.ask().is_success
    assert shop.stack.app()["health"] == "healthy"


def test_two_apps_on_one_route_are_refused(shop: Shop, good_config: str) -> None:
    second = "\n  other:\n    update: {git: {remote: /nowhere}}\n    route: {host: shop.test}\n"

    shop.stack.set_config(good_config + second)

    refused = "\n".join(shop.stack.get("/config")["problems"])
    assert "apps.other.route.host: shop.test is already the host of app shop" in refused
    assert shop.stack.ask().is_success


def test_an_app_that_is_added_and_removed_comes_and_goes_without_touching_others(shop: Shop, good_config: str) -> None:
    second = "\n  other:\n    update: {git: {remote: /nowhere}}\n    route: {host: other.test}\n"

    shop.stack.set_config(good_config + second)
    added = [app["name"] for app in shop.stack.get("/apps")["apps"]]
    not_live = shop.stack.ask(host="other.test")
    shop.stack.set_config(good_config)
    left = [app["name"] for app in shop.stack.get("/apps")["apps"]]

    assert added == ["panel", "shop", "other"]
    assert not_live.status_code == 503
    assert "No release is live here yet" in not_live.text
    assert left == ["panel", "shop"]
    assert shop.stack.ask().is_success


def test_containers_of_an_app_that_is_not_configured_any_more_are_told_by_the_doctor(
    shop: Shop, good_config: str
) -> None:
    shop.stack.set_config("disk: {min_free_mb: 100}\n")

    doctor = shop.stack.command("doctor")

    assert doctor.returncode == 1
    assert "app shop: not configured" in doctor.stdout
    assert "changeover remove shop" in doctor.stdout


def test_a_missing_dockerfile_is_named_with_where_it_was_looked_for(shop: Shop, good_config: str) -> None:
    version = shop.stack.app()["active"]["version"]
    shop.stack.set_config(good_config.replace("route:", "build: {dockerfile: docker/Dockerfile}\n    route:"))

    ended = shop.stack.command("deploy", "shop", "--wait")

    assert ended.returncode == 1
    assert "has no file docker/Dockerfile" in ended.stdout
    assert "build.dockerfile" in ended.stdout
    assert shop.stack.ask().json()["release"] == version


def test_a_repository_that_does_not_exist_is_named(shop: Shop, good_config: str) -> None:
    remote = json.dumps(str(shop.repository.path))
    shop.stack.set_config(good_config.replace(remote, '"/no/such/repository"'))

    checked = shop.stack.command("check", "shop")
    deployed = shop.stack.command("deploy", "shop", "--wait")

    for ended in (checked, deployed):
        assert ended.returncode == 1
        assert "/no/such/repository" in ended.stdout + ended.stderr
        assert "does not exist in the orchestrator's container" in ended.stdout + ended.stderr
    assert shop.stack.ask().is_success


def test_a_branch_that_does_not_exist_is_named(shop: Shop, good_config: str) -> None:
    ended = shop.stack.command("deploy", "shop", "--ref", "no-such-branch", "--wait")

    assert ended.returncode == 1
    assert "has no branch, tag or commit 'no-such-branch'" in ended.stdout
    assert shop.stack.ask().is_success


def test_an_unknown_app_is_a_usage_error_that_names_those_there_are(shop: Shop) -> None:
    ended = shop.stack.command("deploy", "shopp")

    assert ended.returncode == 2
    assert "No app 'shopp'" in ended.stderr
    assert "panel, shop" in ended.stderr


def test_nothing_to_roll_back_to_is_refused(shop: Shop, good_config: str) -> None:
    ended = shop.stack.command("rollback", "panel", "--yes")

    assert ended.returncode == 3
    assert "no standby release" in ended.stderr


def test_without_a_token_nothing_is_shown(shop: Shop) -> None:
    token, shop.stack.token = shop.stack.token, "wrong"
    try:
        ended = shop.stack.command("status")
    finally:
        shop.stack.token = token

    assert ended.returncode == 4
    assert "The token is unknown or revoked" in ended.stderr


def test_a_token_may_do_only_what_its_scope_says(shop: Shop) -> None:
    shop.deployed()
    token = shop.stack.token
    reader = shop.stack.command("token", "create", "watcher", "--scope", "read").stdout.strip()
    shop.stack.token = reader
    try:
        seen = shop.stack.command("status")
        refused = shop.stack.command("deploy", "shop")
    finally:
        shop.stack.token = token
    revoked = shop.stack.command("token", "revoke", "watcher", "--yes")
    shop.stack.token = reader
    try:
        gone = shop.stack.command("status")
    finally:
        shop.stack.token = token

    assert seen.returncode == 0
    assert refused.returncode == 4
    assert "has scope 'read'; this needs 'deploy'" in refused.stderr
    assert revoked.returncode == 0
    assert gone.returncode == 4
    assert reader not in (shop.stack.state / "journal.db").read_bytes().decode(errors="replace")


def test_an_orchestrator_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    environment = {**os.environ, "CHANGEOVER_URL": "http://127.0.0.1:1", "CHANGEOVER_TOKEN": "x"}

    ended = subprocess.run(
        [sys.executable, "-m", "panel.cli", "status"], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert ended.returncode == 4
    assert "Nothing answers at http://127.0.0.1:1" in ended.stderr
    assert "make up" in ended.stderr


def test_no_engine_is_said_so_and_a_deployment_fails_without_harm(shop: Shop, good_config: str) -> None:
    version = shop.stack.app()["active"]["version"]
    with shop.stack.without_engine():
        ended = shop.stack.command("deploy", "shop", "--wait")
        doctor = shop.stack.command("doctor")

    assert ended.returncode == 1
    assert "Docker Engine does not answer" in ended.stdout
    assert "systemctl start docker" in ended.stdout
    assert doctor.returncode == 1
    assert "Docker Engine does not answer" in doctor.stdout
    assert shop.stack.ask().json()["release"] == version


def test_a_full_disk_refuses_the_deployment_and_says_what_to_do(shop: Shop, good_config: str) -> None:
    version = shop.stack.app()["active"]["version"]
    shop.stack.set_config(good_config.replace("min_free_mb: 100", "min_free_mb: 900000000"))

    ended = shop.stack.command("deploy", "shop", "--wait")
    doctor = shop.stack.command("doctor")

    assert ended.returncode == 1
    assert "Not enough disk space" in ended.stdout
    assert "docker builder prune" in ended.stdout
    assert doctor.returncode == 1
    assert shop.stack.ask().json()["release"] == version


def test_a_taken_port_stops_make_up_before_anything_is_started() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = {**os.environ, "CHANGEOVER_PORT": str(port), "CHANGEOVER_STACK": "taken"}

        ended = subprocess.run(["tools/up"], cwd=ROOT, env=environment, capture_output=True, text=True)

    assert ended.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in ended.stderr
    assert "CHANGEOVER_PORT=" in ended.stderr


def test_a_disk_that_is_really_full_loses_nothing(tmp_path: Path, repository: Repository, proxy_image: None) -> None:
    """The state folder on a small file system of its own, filled to the last byte."""
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(small)], check=True)
    try:
        config = shop_config(repository.path).replace("min_free_mb: 100", "min_free_mb: 8")
        with Stack(tmp_path, config, state=small / "state") as stack:
            live = stack.deploy()
            assert live["state"] == "live", live["failure"]
            filler = small / "filler"
            filler.write_bytes(b"x" * (small_free(small) - 4096))

            ended = stack.command("deploy", "shop", "--wait")

            assert ended.returncode == 3, ended.stdout + ended.stderr
            assert "its disk is full" in ended.stderr
            assert "docker builder prune" in ended.stderr
            assert stack.ask().json()["release"] == live["version"]
            filler.unlink()
            assert stack.deploy()["state"] == "live"
    finally:
        subprocess.run(["umount", str(small)], check=True)


def small_free(folder: Path) -> int:
    usage = os.statvfs(folder)
    return usage.f_bavail * usage.f_frsize


def test_a_release_that_would_not_have_the_data_where_it_was_is_refused_and_nothing_is_lost(
    shop: Shop, good_config: str
) -> None:
    before = shop.contents()

    shop.stack.set_config(good_config.replace(RUN, "run: {port: 8000, data: /store}"))
    ended = shop.stack.wait_ended(shop.stack.post("/apps/shop/deployments")["id"])

    assert ended["state"] == "failed"
    assert "run.data mounts it at /store now, and no longer at /data" in ended["failure"]["cause"]
    assert shop.contents() == before
    assert shop.stack.ask().is_success
