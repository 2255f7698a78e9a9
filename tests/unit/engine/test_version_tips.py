"""Outputs of real tools that fail for a version: each has its tip.

The files are what pip 23.2 and 25.1, uv 0.13, npm 9.2 and 11, and apt 2.6 and 3.0 printed, without the lines
that name addresses and paths of the machine.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from orchestrator.engine.docker.image_build import tip_for

OUTPUTS = Path(__file__).with_name("version_conflicts")
TIPS = {
    "pip-requires": "Update requires Python 3.14+ (shop). The image has 3.11.7: ",
    "pip-ignored": "Update requires Python 3.12+ (numpy==2.5.0). The image has another one: ",
    "pip-none": "Update requires numpy==99.0, and pip finds ",
    "pip-wheels": "Update requires scipy==1.5.4, and pip finds 1.18.0rc2, 1.18.0 and 1.18.1 as the newest for ",
    "pip-nothing": "pip finds no package for no-such-package-of-nobody: ",
    "pip-conflict": "The requirements contradict each other: The user requested httpcore<1; httpx 0.28.1 depends on "
    "httpcore==1.*. ",
    "uv-none": "No versions satisfy all requirements. uv says: Because there is no version of textual==99.9 and "
    "you require textual==99.9, we ",
    "uv-range": "No versions satisfy all requirements. uv says: Because only textual<=8.2.8 is available and ",
    "uv-conflict": "No versions satisfy all requirements. uv says: Because httpx==0.28.1 depends on httpcore==1.*",
    "uv-python": "Update requires Python 3.99+ (by its pyproject.toml or uv). The image has another one: ",
    "uv-version": "Update requires Python 3.12+ (numpy==2.5.0). The image has 3.11.7: ",
    "uv-requires": "Update requires Python 3.14+ (shop==2.0.0). The image has 3.11.7: ",
    "npm-engine": "Update requires Node.js 99+. The image has 20.20.2: ",
    "npm-engine-of-debian": "Update requires Node.js 18+ and npm 99+. The image has npm 9.2.0: ",
    "npm-engines": "Update requires Node.js 18+ and npm 99+. The image has Node.js 20.20.2 and npm 11.19.1: ",
    "npm-nothing": "npm's registry has no package no-such-package-of-nobody, ",
    "npm-conflict": "The packages contradict each other: react-dom@18.2.0 requires react ^18.2.0, and react@17.0.2 is ",
    "npm-version": "npm has no version left-pad@99.0.0: ",
    "apt-version": "The package lists of the image have no version 99.0 of curl: ",
    "apt-nothing": "The package lists of the image have no package curl: ",
    "apt-unmet": "openssh-client requires init-system-helpers 1.66~+. The image has 1.65.2+deb12u1: ",
}


def test_every_output_has_a_tip() -> None:
    assert sorted(file.stem for file in OUTPUTS.iterdir()) == sorted(TIPS)


@pytest.mark.parametrize("prefix", ["", "#12 3.141 "])
@pytest.mark.parametrize(("output", "tip"), TIPS.items())
def test_a_build_that_fails_for_a_version_says_what_is_required_and_what_is_there(
    output: str, tip: str, prefix: str
) -> None:
    """Also with what BuildKit puts before each line."""
    lines = deque(prefix + line for line in (OUTPUTS / f"{output}.txt").read_text().splitlines())

    assert tip_for(lines).startswith(tip)


def test_the_python_of_the_base_image_is_named_where_pip_does_not_say_it() -> None:
    lines = deque((OUTPUTS / "pip-ignored.txt").read_text().splitlines())
    lines.appendleft("#5 [1/4] FROM docker.io/library/python:3.11-slim@sha256:0123")

    assert "The image has 3.11: " in tip_for(lines)


@pytest.mark.parametrize(
    "text", ["", "ERROR: exit code 1", "Required: {broken\nActual: {}", 'Required: {"x":"1"}\nActual: {"node":"1"}']
)
def test_other_outputs_get_no_tip_about_versions(text: str) -> None:
    assert "requires" not in tip_for(deque(text.splitlines()))
