"""A Git repository of a test, with commits of known names, and with objects that Git's own commands would refuse."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Remote:
    """A repository with commits of known names."""

    def __init__(self, path: Path, object_format: str = "sha1") -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", f"--object-format={object_format}")
        self.git("config", "user.name", "Test")
        self.git("config", "user.email", "test@example.com")

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message: str, file: str = "app.py", content: str = "") -> str:
        (self.path / file).parent.mkdir(parents=True, exist_ok=True)
        (self.path / file).write_text(content or message)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        return self.git("rev-parse", "HEAD")

    def blob(self, content: str) -> str:
        return self.written("blob", content.encode())

    def tree(self, *entries: tuple[str, str, str]) -> str:
        """A tree with exactly these entries: mode, name and object; Git's own commands would refuse some."""
        content = b"".join(
            f"{mode} {name}".encode() + b"\0" + bytes.fromhex(object_) for mode, name, object_ in entries
        )
        return self.written("tree", content)

    def written(self, kind: str, content: bytes) -> str:
        command = ["git", "-C", str(self.path), "hash-object", "-t", kind, "-w", "--stdin", "--literally"]
        return subprocess.run(command, check=True, capture_output=True, input=content).stdout.decode().strip()
