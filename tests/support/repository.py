"""A Git repository of a test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class Repository:
    """A Git repository of a test, with one app in it."""

    def __init__(self, path: Path, content: Path) -> None:
        self.path = path
        shutil.copytree(content, path, ignore=shutil.ignore_patterns("__pycache__"))
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Test")
        self.git("config", "user.email", "test@example.com")
        self.commit("feat: open the shop")
        self.git("tag", "v1.0.0")

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.path), *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.path / name).read_text()
        assert old in text, f"{old!r} is not in {name}"
        self.write(name, text.replace(old, new))

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def change(self, greeting: str) -> str:
        """A change of one source file."""
        text = (self.path / "shop.py").read_text().splitlines()
        lines = [f'GREETING = "{greeting}"' if line.startswith("GREETING = ") else line for line in text]
        self.write("shop.py", "\n".join(lines) + "\n")
        return self.commit(f"feat: greet with {greeting}")
