"""Each line of docs/security.md is held by a test that exists, and compose.yaml confines what it says."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
NAMED = TEST.findall(PAGE)
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_the_test_of_each_line_exists(file: str, test: str) -> None:
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_line_names_a_test() -> None:
    lines = PAGE.split("## What holds each line")[1].split("\n## ")[0].splitlines()
    rows = [line for line in lines if line.startswith("| ")][2:]

    assert [row for row in rows if len(TEST.findall(row)) != 1] == []
    assert len(rows) == len(NAMED)


@pytest.mark.parametrize("service", ["engine", "orchestrator", "proxy"])
def test_our_own_containers_are_confined(service: str) -> None:
    found = COMPOSE["services"][service]

    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["pids_limit"] <= 1024
    assert found["mem_limit"]
    assert set(found.get("cap_add", [])) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER"}


def source_of(volume: str) -> str:
    """What `compose.yaml` mounts, where no variable is set: of `${NAME:-/var/run}:/run` it is `/var/run`."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).partition(":")[0]


def test_only_the_relay_has_the_engines_socket_and_nobody_the_hosts_folders() -> None:
    of_the_host = [
        (name, source)
        for name, service in COMPOSE["services"].items()
        for source in map(source_of, service["volumes"])
        if source.startswith(("/", "~", "$", ".."))
    ]

    assert of_the_host == [("engine", "/var/run/docker.sock")]
    assert COMPOSE["services"]["engine"]["network_mode"] == "none"
