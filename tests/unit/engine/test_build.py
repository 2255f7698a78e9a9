"""The build command, and what a build that failed says."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from border.secrets import Secrets
from orchestrator.config.value_types import in_bytes
from orchestrator.engine.docker.image_build import (
    ImageBuilder,
    build_command,
    build_environment,
    build_image,
    exit_code_in,
    tip_for,
    why_it_failed,
)
from orchestrator.engine.image_build import ImageBuild
from orchestrator.errors import StepFailed


def test_build_errors_are_told_in_a_sentence_with_a_tip() -> None:
    lines = deque(["#5 ERROR: process", "ERROR: failed to solve: no space left on device"])

    assert why_it_failed(lines) == "The build failed: no space left on device."
    assert "disk is full" in tip_for(lines)


def test_a_build_says_everything_it_was_told() -> None:
    command = build_command(ImageBuild(Path("/c"), Path("/c/D"), "a/b:1", 60, "web", {"B": "2", "A": "1"}), Path("/d"))

    assert command[-2:] == ["--", "/c"]
    assert "--target=web" in command
    assert [word for word in command if word.startswith("--build-arg")] == ["--build-arg=A", "--build-arg=B"]


def test_a_build_has_as_much_memory_as_configured() -> None:
    image = ImageBuild(Path("/c"), Path("/c/D"), "a/b:1", 60)

    assert "--ulimit=data=2147483648" in build_command(replace(image, memory_bytes=in_bytes("2g")), Path("/d"))
    assert "ulimit" not in " ".join(build_command(image, Path("/d")))


@pytest.mark.parametrize(("size", "count"), [("5", 5), ("5b", 5), ("5k", 5120), ("5m", 5 * 2**20), ("5g", 5 * 2**30)])
def test_sizes_are_read_as_docker_reads_them(size: str, count: int) -> None:
    assert in_bytes(size) == count


async def test_builds_wait_for_each_other_beyond_a_number_and_a_cancelled_one_keeps_nobody_waiting() -> None:
    running: list[str] = []
    most = 0
    go_on = asyncio.Event()

    async def build(image: ImageBuild, _on_line: Callable[[str], None], _known: Secrets) -> str:
        nonlocal most
        running.append(image.tag)
        most = max(most, len(running))
        await go_on.wait()
        running.remove(image.tag)
        return image.tag

    builder = ImageBuilder(Secrets(), at_once=2, build=build)
    said: list[str] = []
    images = [ImageBuild(Path("/c"), Path("/c/D"), f"a:{number}", 60) for number in range(6)]
    builds = [asyncio.create_task(builder.build(image, said.append)) for image in images]
    await asyncio.sleep(0.01)
    builds[3].cancel()
    go_on.set()
    ended = await asyncio.gather(*builds, return_exceptions=True)

    assert most == 2
    assert [one for one in ended if isinstance(one, str)] == ["a:0", "a:1", "a:2", "a:4", "a:5"]
    assert said == ["Waiting for the builds of other apps to end."] * 4


@pytest.mark.parametrize("name", ["NPM_TOKEN", "HTTPS_PROXY", "http_proxy", "PIP_INDEX_URL", "GOPROXY", "token"])
def test_the_value_of_a_build_argument_is_on_no_command_line(name: str) -> None:
    image = ImageBuild(Path("/c"), Path("/c/D"), "a/b:1", 60, args={name: "https://me:secret@host"})

    assert f"--build-arg={name}" in build_command(image, Path("/d"))
    assert "secret" not in " ".join(build_command(image, Path("/d")))
    assert build_environment(image)[name] == "https://me:secret@host"


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LD_PRELOAD", "DOCKER_HOST", "BUILDKIT_INLINE_CACHE", "GODEBUG", "SSL_CERT_FILE", "a b"]
)
def test_a_build_argument_changes_nothing_of_how_the_docker_command_works(name: str) -> None:
    image = ImageBuild(Path("/c"), Path("/c/D"), "a/b:1", 60, args={name: "/x"})

    assert f"--build-arg={name}=/x" in build_command(image, Path("/d"))
    assert name not in build_environment(image)


def test_no_value_of_a_build_is_an_option() -> None:
    evil = "--allow=security.insecure"

    command = build_command(ImageBuild(Path(evil), Path(evil), evil, 60, evil, {evil: evil}), Path(evil))

    assert [word for word in command[: command.index("--")] if word == evil] == []
    assert command[command.index("--") :] == ["--", evil]


def test_a_build_secret_is_a_file_that_the_builder_reads() -> None:
    image = ImageBuild(Path("/tree"), Path("/tree/Dockerfile"), "app:1", 5, secrets={"npm": Path("/secrets/npm token")})

    assert "--secret=id=npm,src=/secrets/npm token" in build_command(image, Path("/digest"))


BASE = "ERROR: failed to solve: debian:x: failed to resolve source metadata for docker.io/library/debian:x: "


@pytest.mark.parametrize(
    ("why", "tip"),
    [
        ('failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: lookup r: no such host', "reached"),
        ("failed to do request: dial tcp 10.0.0.1:443: i/o timeout", "cannot be reached"),
        ("failed to authorize: connect: connection refused", "cannot be reached"),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "certs.d/HOST:PORT/ca.crt",
        ),
        ("failed to do request: http: server gave HTTP response to HTTPS client", "insecure-registries"),
        ("docker.io/library/debian:x: not found", "does not have it"),
        ("pull access denied, repository does not exist or may require authorization", "docker login"),
        ("unexpected status from HEAD request: 429 Too Many Requests", "refuses more downloads"),
    ],
)
def test_a_base_image_that_is_not_there_is_told_apart_from_a_registry_that_is_not_reached(why: str, tip: str) -> None:
    assert tip in tip_for(deque(["#2 ERROR: x", BASE + why]))


async def test_a_build_argument_that_is_too_long_for_the_system_fails_the_build_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A legal value of 140 kB: execve(2) takes at most 128 KiB for one argument."""
    (tmp_path / "docker").write_text("#!/bin/sh\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    image = ImageBuild(Path("/c"), Path("/c/D"), "a/b:1", 60, "", {"LICENCE": "x" * 140_000})

    with pytest.raises(StepFailed, match="docker could not be started: Argument list too long") as failed:
        await build_image(image, lambda _line: None, Secrets())

    assert "build.args" in failed.value.remedy


async def test_what_a_step_said_gives_the_tip_also_before_what_buildkit_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (Path(__file__).with_name("version_conflicts") / "npm-conflict.txt").read_text().splitlines()
    beside = [f"#9 1.0 E: Unable to locate package curl{number}" for number in range(5)]
    again = [f"1.752 npm ERR! line {number}" for number in range(30)]
    output = tmp_path / "output"
    lines = [*beside, *(f"#8 1.752 {line}" for line in said), '#8 ERROR: process "/bin/sh -c npm install" did', *again]
    output.write_text("\n".join(lines))
    (tmp_path / "docker").write_text(f"#!/bin/sh\ncat {output}\nexit 1\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(StepFailed) as failed:
        await build_image(ImageBuild(Path("/c"), Path("/c/D"), "a/b:1", 60), lambda _: None, Secrets())

    assert failed.value.remedy.startswith("The packages contradict each other: react-dom@18.2.0 requires react ^18.2.0")
    assert len(failed.value.log) == 40


def test_the_exit_code_of_a_failed_build_is_that_of_its_command_and_not_of_docker() -> None:
    cause = 'The build failed: process "/bin/sh -c make" did not complete successfully: exit code: 137: killed.'

    assert exit_code_in(cause) == 137
    assert exit_code_in("The build failed: failed to read dockerfile: open Dockerfile: no such file.") is None
    assert exit_code_in(f"The build failed: did not complete successfully: exit code: {'9' * 5000}") is None
