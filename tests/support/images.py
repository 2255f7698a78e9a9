"""The images that every stack needs, under names of this checkout: others on the same engine have others."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import ROOT

PREFIX = f"changeover-test-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]}"


def image(name: str) -> str:
    """The tag under which this checkout's image of that name is built."""
    return f"{PREFIX}/{name}"


def build_image(target: str) -> str:
    """A target of the Dockerfile, as `make up` builds it; a second when nothing changed. Gives its tag."""
    return _build(image(target), ROOT, "--target", target)


def build_folder(name: str, folder: Path, *options: str) -> str:
    """What that folder's Dockerfile makes. Gives its tag."""
    return _build(image(name), folder, *options)


def _build(tag: str, context: Path, *options: str) -> str:
    with _one_at_a_time():
        ended = subprocess.run(
            ["docker", "buildx", "build", "--load", "--quiet", "--tag", tag, *options, str(context)],
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 0, f"{tag} does not build: {ended.stderr}"
    return tag


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Across the workers of a run, which build the same images: the second finds what the first has built."""
    with (Path(tempfile.gettempdir()) / f"{PREFIX}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
