"""The build command, and what a build that failed says."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from orchestrator.engine.base import ImageBuild
from orchestrator.engine.docker.image_build import build_command, tip_for, why_it_failed


def test_build_errors_are_told_in_a_sentence_with_a_tip() -> None:
    lines = deque(["#5 ERROR: process", "ERROR: failed to solve: no space left on device"])

    assert why_it_failed(lines) == "The build failed: no space left on device."
    assert "disk is full" in tip_for(lines)


def test_a_build_says_everything_it_was_told() -> None:
    command = build_command(ImageBuild(Path("/c"), Path("/c/D"), "a/b:1", 60, "web", {"B": "2", "A": "1"}), Path("/d"))

    assert command[-2:] == ["--", "/c"]
    assert "--target=web" in command
    assert [word for word in command if word.startswith("--build-arg")] == ["--build-arg=A=1", "--build-arg=B=2"]


def test_no_value_of_a_build_is_an_option() -> None:
    evil = "--allow=security.insecure"

    command = build_command(ImageBuild(Path(evil), Path(evil), evil, 60, evil, {evil: evil}), Path(evil))

    assert [word for word in command[: command.index("--")] if word == evil] == []
    assert command[command.index("--") :] == ["--", evil]


def test_a_build_secret_is_a_file_that_the_builder_reads() -> None:
    image = ImageBuild(Path("/tree"), Path("/tree/Dockerfile"), "app:1", 5, secrets={"npm": Path("/secrets/npm token")})

    assert "--secret=id=npm,src=/secrets/npm token" in build_command(image, Path("/digest"))
