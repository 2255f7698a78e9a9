"""The images that every stack needs."""

from __future__ import annotations

import subprocess

from tests.support.paths import ROOT


def build_image(target: str) -> None:
    """As `make up` builds it; a few milliseconds when nothing changed."""
    command = ["docker", "buildx", "build", "--load", "--quiet", "--target", target, "--tag", f"changeover/{target}"]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
