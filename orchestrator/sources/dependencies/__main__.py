"""Compares the requirement and lock files of two commits: the child process of a check.

    python -m orchestrator.sources.dependencies MIRROR SINCE UNTIL PATH

It prints one JSON object: `changes`, and `unreadable`, the paths of files that could not be read.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys

from orchestrator.sources.dependencies.needs import Need, differences, versions_of
from orchestrator.sources.dependencies.tree import MOST_BYTES, needs_of, patterns

MOST_MEMORY = 2**30
"""Bytes of address space."""
WITHIN_S = 20.0
"""Of one git command; whoever started this process ends it after as long in any case."""
REGULAR = ("100644", "100755")


class Tree:
    """The files of a commit below a folder."""

    def __init__(self, mirror: str, commit: str, folder: str) -> None:
        self._git = ("git", "--git-dir", mirror)
        self._prefix = "" if folder in (".", "") else f"{folder.strip('/')}/"
        self._blobs = self._listed(commit)

    def _listed(self, commit: str) -> dict[str, str]:
        """By path below the folder: the object of each regular file that may name dependencies."""
        nothing = self._out("hash-object", "-t", "tree", "/dev/null").decode().strip()
        raw = self._out(
            "diff-tree", "-r", "-z", "--no-renames", "--no-abbrev", nothing, commit, "--", *patterns(self._prefix)
        )
        fields = raw.decode(errors="surrogateescape").split("\0")
        found = {}
        for about, path in zip(fields[::2], fields[1::2], strict=False):
            _, mode, _, blob, *_ = about.split(" ")
            if mode in REGULAR and path.startswith(self._prefix):
                found[path.removeprefix(self._prefix)] = blob
        return found

    def _out(self, *arguments: str) -> bytes:
        return subprocess.run([*self._git, *arguments], check=True, capture_output=True, timeout=WITHIN_S).stdout

    def content(self, path: str) -> str | None:
        """The text of a file; None if there is none, or one that is too large."""
        blob = self._blobs.get(path)
        if blob is None or int(self._out("cat-file", "-s", blob)) > MOST_BYTES:
            return None
        return self._out("cat-file", "blob", blob).decode("utf-8-sig", errors="replace")

    def needs(self) -> tuple[list[Need], list[str]]:
        return needs_of(self._blobs, self.content)


def main(mirror: str, since: str, until: str, folder: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    before, not_before = Tree(mirror, since, folder).needs()
    after, not_after = Tree(mirror, until, folder).needs()
    found = differences(versions_of(before), versions_of(after))
    print(json.dumps({"changes": found, "unreadable": sorted({*not_before, *not_after})}))


if __name__ == "__main__":
    main(*sys.argv[1:])
