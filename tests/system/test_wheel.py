"""The wheel, installed into an empty virtual environment: it works without the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.addresses import free_port
from tests.support.paths import ROOT
from tests.support.user import NO_TLS

pytestmark = pytest.mark.whole_in_turn

PACKAGES = ("border", "panel", "orchestrator", "migrations", "http_limits")
START_S = 120
IMPORT_EVERYTHING = """
import importlib, pkgutil
for package in ("border", "panel", "orchestrator", "migrations", "http_limits"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        # What is run and not imported: entry points, and Alembic's files, which want its context.
        if module.name.endswith(("__main__", ".env")) or ".versions" in module.name:
            continue
        importlib.import_module(module.name)
"""


@dataclass(frozen=True)
class Installed:
    """The environment that has the wheel and the pinned packages, and an empty folder to work in."""

    wheel: Path
    environment: Path
    folder: Path

    def run(self, program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.environment / "bin" / program, *arguments],
            cwd=self.folder, env=clean_environment(variables), capture_output=True, text=True, timeout=60,
        )  # fmt: skip


def clean_environment(variables: dict[str, str]) -> dict[str, str]:
    """This process's, without what could lead back to the checkout or to another orchestrator."""
    ours = ("PYTHON", "VIRTUAL_ENV", "CHANGEOVER_", "PANEL_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | variables


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, since building leaves folders beside the sources.
    source, environment, empty = folder / "source", folder / "environment", folder / "empty"
    empty.mkdir()
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    into = ("--python", environment, "install", "--quiet")
    pinned = [word for name in ("orchestrator", "panel") for word in ("-r", ROOT / "requirements" / f"{name}.txt")]
    pip(*into, "--require-hashes", *pinned)
    pip(*into, "--no-deps", wheel)
    return Installed(wheel, environment, empty)


def test_a_source_distribution_has_all_that_an_image_is_built_from(tmp_path: Path) -> None:
    """The panel can be updated from a package index, which builds the Dockerfile of the source distribution."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for name in line.split()
    }
    assert {"requirements/panel.txt", "migrations", "panel"} <= copied
    source = tmp_path / "source"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "requirements", source / "requirements")
    for file in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / file, source)
    build = "from setuptools import build_meta; print(build_meta.build_sdist('.'))"

    made = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True, timeout=120)

    assert made.returncode == 0, made.stderr
    with tarfile.open(source / made.stdout.split()[-1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Dockerfile", ".dockerignore", *copied} <= names


@pytest.fixture
def orchestrator_url(installed: Installed, tmp_path: Path) -> Iterator[str]:
    """An orchestrator of the installed wheel. It has no engine and no proxy; checking a configuration needs neither."""
    port = free_port()
    variables = {
        "DOCKER_HOST": f"unix://{tmp_path / 'no-engine.sock'}",
        "CHANGEOVER_STATE": str(tmp_path / "state"),
        "CHANGEOVER_PROXY": str(tmp_path / "proxy"),
        "CHANGEOVER_TOKEN_FOLDER": str(tmp_path),
        "CHANGEOVER_CONFIG": str(tmp_path / "control-panel-config.yaml"),
        "CHANGEOVER_API_HOST": "127.0.0.1",
        "CHANGEOVER_API_PORT": str(port),
        "CHANGEOVER_DEPLOY_PANEL": "false",
    }
    url = f"http://127.0.0.1:{port}"
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [installed.environment / "bin" / "python", "-m", "orchestrator"],
            cwd=installed.folder, env=clean_environment(variables), stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        until_it_answers(url, process, log)
        yield url
    finally:
        process.kill()
        process.wait()


def until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/healthz", verify=NO_TLS).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"The orchestrator did not answer within {START_S} s:\n{log.read_text()}")


def test_the_wheel_has_every_file_of_its_packages(installed: Installed) -> None:
    wanted = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    there = set(zipfile.ZipFile(installed.wheel).namelist())

    assert wanted - there == set()


def test_everything_that_the_wheel_imports_is_there(installed: Installed) -> None:
    done = installed.run("python", "-c", IMPORT_EVERYTHING)

    assert done.returncode == 0, done.stderr


def test_the_command_and_the_server_say_how_they_are_used(installed: Installed) -> None:
    command = installed.run("changeover", "--help")
    server = installed.run("python", "-m", "orchestrator", "--help")

    assert command.returncode == 0, command.stderr
    assert "deploy" in command.stdout
    assert server.returncode == 0, server.stderr
    assert "environment variables" in server.stdout


def test_an_installed_orchestrator_tells_a_valid_configuration_from_a_bad_one(
    installed: Installed, orchestrator_url: str, tmp_path: Path
) -> None:
    valid, bad = tmp_path / "valid.yaml", tmp_path / "bad.yaml"
    valid.write_text("disk: {min_free_mb: 100}\n")
    bad.write_text("disk:\n  min_free: 100\n")
    client = {"CHANGEOVER_URL": orchestrator_url, "CHANGEOVER_TOKEN_FILE": str(tmp_path / "token")}

    accepted = installed.run("changeover", "validate", str(valid), **client)
    refused = installed.run("changeover", "validate", str(bad), **client)

    assert accepted.returncode == 0, accepted.stderr
    assert "is valid" in accepted.stdout
    assert refused.returncode == 2, refused.stderr
    assert "bad.yaml:2" in refused.stdout
    assert "min_free_mb" in refused.stdout
