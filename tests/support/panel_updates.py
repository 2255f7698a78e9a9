"""U in a browser, as a person presses it, and releases of the panel to press it for."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from minisign import KeyPair  # type: ignore[import-untyped]

from tests.support.browser import Terminal, signed_in
from tests.support.installation import Installation

TURNS, TURN_MS = 1200, 50
ARCHIVES = "/archives"


@dataclass(frozen=True)
class Shown:
    """What the person saw: the question and the result."""

    question: str
    result: str


def press_u(installation: Installation, pictures: Path, heading: str) -> Shown:
    """Update the panel to what its source has now. The picture stays, and goes on in the new version, whose dashboard
    has this heading."""
    old = installation.app()["active"]["version"]
    with signed_in(installation.url, installation.token, pictures) as terminal:
        terminal.wait_for(old)
        terminal.press("u")
        question = terminal.wait_for("Proceed with update?")
        terminal.press("y")
        terminal.wait_for("Step 3/9")
        blank = _goes_on(terminal)
        result = terminal.wait_for("Successfully updated", seconds=60)

        new = installation.app()["active"]["version"]
        assert new != old
        assert new in result
        assert blank == 0
        assert terminal.sockets == 2
        assert terminal.page.url == installation.url + "/"
        terminal.press("Enter")
        assert f"CHANGEOVER  {new}" in terminal.wait_for(heading)
        assert terminal.requests_elsewhere == []
    return Shown(question, result)


def _goes_on(terminal: Terminal) -> int:
    """Until the new version has gone on with what was shown. How often the page was blank on the way."""
    blank = 0
    for _ in range(TURNS):
        blank += terminal.is_blank()
        if "UPDATE COMPLETE" in terminal.text and "Resumed after update" in terminal.text:
            break
        terminal.page.wait_for_timeout(TURN_MS)
    return blank


def press_u_in_vain(installation: Installation, pictures: Path) -> str:
    """What the person sees where the new version does not work. The old one is still the one that shows it."""
    old = installation.app()["active"]["version"]
    with signed_in(installation.url, installation.token, pictures) as terminal:
        terminal.wait_for(old)
        terminal.press("u")
        terminal.wait_for("Proceed with update?")
        terminal.press("y")
        terminal.wait_for("UPDATE FAILED", seconds=120)
        shown = terminal.wait_for("serves", seconds=30)
        assert terminal.sockets == 1
    assert installation.app()["active"]["version"] == old
    return shown


def press_b(installation: Installation, to: str, pictures: Path) -> None:
    """Roll back; the page goes on in the release `to`."""
    with signed_in(installation.url, installation.token, pictures) as terminal:
        terminal.wait_for(installation.app()["active"]["version"])
        terminal.press("b")
        terminal.wait_for("Roll panel back?")
        terminal.press("y")
        terminal.wait_for(f"CHANGEOVER  {to}")
    assert installation.app()["active"]["version"] == to


@dataclass
class PanelReleases:
    """Releases of the panel in `folder`, made of an installation's tree: as source distributions, archives, images."""

    installation: Installation
    folder: Path
    pages: dict[str, bytes] = field(default_factory=dict)
    _pair: KeyPair = field(default_factory=KeyPair.generate)

    @property
    def public_key(self) -> bytes:
        return bytes(self._pair.public_key)

    def tree(self, version: str) -> Path:
        """The tree of a release, whose dashboard calls its events by the version."""
        tree = self.folder / version
        tree.mkdir()
        packed = self.folder / f"{version}.tar"
        self.installation.git("archive", f"--output={packed}", "HEAD")
        subprocess.run(["tar", "-xf", packed, "-C", tree], check=True)
        project, log = tree / "pyproject.toml", tree / "CHANGELOG.md"
        project.write_text(project.read_text().replace('version = "0.1.0"', f'version = "{version}"'))
        log.write_text(f"# Changelog\n\n## {version}\n\n### Added\n- A panel that says {version}\n")
        dashboard = tree / "panel" / "screens" / "dashboard.py"
        text, times = re.subn(r'Static\("[A-Z][a-z ]+"', f'Static("Events of {version}"', dashboard.read_text())
        assert times == 1
        dashboard.write_text(text)
        return tree

    def source_distribution(self, version: str) -> Path:
        """As setuptools makes it."""
        build = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
        command = [sys.executable, "-c", build, str(self.folder)]
        subprocess.run(command, cwd=self.tree(version), check=True, capture_output=True)
        return self.folder / f"changeover-{version}.tar.gz"

    def publish_archive(self, version: str) -> None:
        """An archive with a manifest and a signature, in `pages`."""
        packed = self.folder / f"archive-{version}.tar.gz"
        names = sorted(os.listdir(self.tree(version)))
        command = ["tar", "-czf", str(packed), "--exclude=__pycache__", "-C", str(self.folder / version), *names]
        subprocess.run(command, check=True)
        content = packed.read_bytes()
        signature = self._pair.secret_key.sign(content, trusted_comment=f"version:{version}")
        self.pages[f"{ARCHIVES}/{version}.tar.gz"] = content
        self.pages[f"{ARCHIVES}/manifest.json"] = json.dumps(
            {
                "version": version,
                "sha256": hashlib.sha256(content).hexdigest(),
                "size": len(content),
                "released_at": "2026-03-01T10:00:00Z",
                "changelog": [f"feat: a panel that says {version}", "fix: every order is counted once"],
                "signature": bytes(signature).decode(),
            }
        ).encode()

    def image(self, version: str) -> str:
        """The name of an image of the panel on this engine, labelled with its version and what it brings."""
        labels = {
            "org.opencontainers.image.version": version,
            "changeover.changelog": f"feat: a panel that says {version}",
        }
        return self._built(version, self.tree(version), "--target=panel", labels)

    def broken_image(self, version: str, of: str) -> str:
        """An image of a panel that never gets ready."""
        tree = self.folder / version
        tree.mkdir()
        (tree / "Dockerfile").write_text(f'FROM {of}\nCMD ["sh", "-c", "echo out of order; exit 3"]\n')
        return self._built(version, tree, "--pull=false", {"org.opencontainers.image.version": version})

    def _built(self, version: str, tree: Path, option: str, labels: dict[str, str]) -> str:
        name = f"{self.installation.name}/released:{version}"  # removed with the installation
        words = [f"--label={key}={value}" for key, value in labels.items()]
        command = ["docker", "build", "--quiet", option, f"--tag={name}", *words, str(tree)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return name
