"""What comes in has a limit: each call in the code that reads without one stands in this table, with why it may.

A new one is given a limit, or is added with a reason: its input is ours, or something else limits it.
`docs/limits.md` has the limits themselves.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.support.paths import ROOT

PACKAGES = ("orchestrator", "panel", "http_limits", "border", "migrations")
OURS = "files that Changeover itself wrote"
UNLIMITED = {
    "orchestrator/api/command_output.py": "the lines that wait are of host/output.py; bytes have a semaphore",
    "orchestrator/api/logs.py": "its own function, which is limited",
    "orchestrator/apps/backup_places.py": OURS,
    "orchestrator/backup_sidecar/__main__.py": "what the orchestrator put there",
    "orchestrator/backup_sidecar/difference.py": "in a sidecar: the structure of the app's own data",
    "orchestrator/config/durable_text.py": OURS,
    "orchestrator/config/user_files.py": "the example in the image, and a text that was in use",
    "orchestrator/config/watcher.py": "its own function, which is limited",
    "orchestrator/deploy/held_locks.py": "one answer for each question",
    "orchestrator/engine/docker/container_user.py": "a member of an archive that was limited before",
    "orchestrator/engine/docker/image_build.py": "the digest that the docker command wrote",
    "orchestrator/journal/upgrade.py": "as long as revisions take; whether the database answers is asked before",
    "orchestrator/lock_sidecar/look.py": "in a sidecar with a memory limit",
    "orchestrator/package_image/reach.py": "the kernel's own table",
    "orchestrator/proxy/haproxy_config.py": "files of the image",
    "orchestrator/proxy/durable_file.py": OURS,
    "orchestrator/proxy/proxy_files.py": OURS,
    "orchestrator/traffic/sampler.py": "its own function: the proxy's answers are limited where they are read",
    "orchestrator/sources/git_lfs.py": "a file whose size was looked at before",
    "orchestrator/sources/mirror.py": OURS,
    "orchestrator/sources/package_source.py": "files of the image",
    "panel/restart.py": "the unnamed file that this process was given",
    "panel/session/conversation_file.py": "the turns of one person, of which as many are kept as its limits say",
    "panel/web/pages.py": "files of the image",
    "panel/web/process.py": "the process is not read while too many packets wait",
    "migrations/configuration.py": "the user's configuration, which was valid",
}


def unlimited_in(source: str) -> Iterator[str]:
    """The calls that take as much as there is, or as long as it takes: `read()`, `read_bytes()`, `Queue()`."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = {keyword.arg for keyword in call.keywords}
        bare = not call.args and not given - {"encoding", "errors"}
        if name in ("read", "readall", "readlines", "read_text", "read_bytes", "fetchall", "Queue") and bare:
            yield name
        starts = name in ("run", "check_output", "check_call") and "subprocess" in ast.dump(call.func)
        if starts and "timeout" not in given:
            yield f"subprocess.{name}"


def found() -> dict[str, set[str]]:
    files = (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py")))
    calls = {str(file.relative_to(ROOT)): set(unlimited_in(file.read_text(encoding="utf-8"))) for file in files}
    return {name: those for name, those in calls.items() if those}


def test_what_reads_without_a_limit_says_why_it_may() -> None:
    assert set(found()) == set(UNLIMITED)


@pytest.mark.parametrize(
    ("code", "calls"),
    [
        ("stream.read()", ["read"]),
        ("stream.read(100)", []),
        ("path.read_text(encoding='utf-8')", ["read_text"]),
        ("asyncio.Queue()", ["Queue"]),
        ("asyncio.Queue(10)", []),
        ("subprocess.run(['git'])", ["subprocess.run"]),
        ("subprocess.run(['git'], timeout=5)", []),
    ],
)
def test_a_call_without_a_limit_is_found(code: str, calls: list[str]) -> None:
    assert list(unlimited_in(code)) == calls
