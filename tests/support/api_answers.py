"""Answers of the orchestrator's API, as JSON, for tests of its clients: a shop, its deployments, its events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)
"""The time of day in these tests."""


def before(**length: float) -> str:
    """A moment before NOW, as the API writes it."""
    return (NOW - timedelta(**length)).isoformat()


def slot(version: str = "v1.0.0", colour: str = "blue", **more: Any) -> dict[str, Any]:
    return {
        "colour": colour,
        "version": version,
        "revision": "0c5bf1e",
        "image": f"changeover/shop:{version}",
        "container": f"shop-{colour}",
        "since": before(hours=3),
    } | more


def change(subject: str, kind: str = "", scope: str = "", breaking: bool = False) -> dict[str, Any]:
    return {"revision": "4d1f0a2", "kind": kind, "scope": scope, "subject": subject, "breaking": breaking}


CHANGES = [
    change("a cart that survives a restart", "feat"),
    change("count every order once", "fix", "till"),
    change("the price is in cents", "feat", breaking=True),
    change("tidy the shelves"),
]


def update(version: str = "v1.1.0", **more: Any) -> dict[str, Any]:
    return {
        "version": version,
        "revision": "9be1c3d",
        "released_at": before(minutes=42),
        "checked_at": before(minutes=1),
        "origin": "git https://example.com/shop.git main",
        "changes": CHANGES,
        "changes_left_out": 0,
        "dependencies": [
            {"ecosystem": "python", "name": "textual", "before": "0.84.2", "after": "0.85.0"},
            {"ecosystem": "python", "name": "till", "before": "", "after": "2.1"},
        ],
        "dependencies_left_out": 0,
        "notes": [],
        "download_bytes": 12_700,
        "build_bytes": 3_250_000,
        "expected_seconds": 31.4,
        "expected_by": 5,
    } | more


def app(name: str = "shop", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "url": f"http://{name}.localhost:8080",
        "active": slot(),
        "standby": None,
        "candidate": None,
        "update": None,
        "deployment": None,
        "health": "healthy",
    } | more


def deployment(id: str = "d42", state: str = "live", **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "app": "shop",
        "kind": "deploy",
        "state": state,
        "requested_by": "ci",
        "requested_at": before(minutes=2),
        "version": "v1.1.0",
        "revision": "9be1c3d",
        "colour": "green",
        "container": "shop-green",
        "previous_version": "v1.0.0",
        "seconds": 2.31,
        "paused": None,
        "changes": CHANGES,
        "failure": None,
    } | more


FAILURE: dict[str, Any] = {
    "step": "verify",
    "cause": "The container exited with code 1 before it was ready.",
    "tip": "Look at the last lines of its log.",
    "log": ["opening the shop", "ModuleNotFoundError: No module named 'till'"],
    "exit_code": 1,
    "oom": False,
    "undone": ["Removed the container shop-green."],
}


def failed(id: str = "d43", **more: Any) -> dict[str, Any]:
    return deployment(id, "failed", seconds=None, failure=FAILURE, **more)


def alert(id: int, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "kind": kind,
        "app": "shop",
        "began_at": before(minutes=2),
        "ended_at": None,
        "cause": "it answered 500",
        "deployment": "",
        "muted": False,
    } | more


def alerts() -> list[dict[str, Any]]:
    """One of each kind, the newest first; one goes on."""
    over = {"ended_at": before(hours=1)}
    return [
        alert(9, "outage"),
        alert(8, "failed_over", app="till", began_at=before(hours=1, seconds=14), muted=True, **over),
        alert(6, "deployment_failed", began_at=before(days=1), deployment="d43", cause="build: exit code 1", **over),
        alert(4, "disk", app="", began_at=before(days=3), cause="800 MB are free, and 1024 MB required", **over),
    ]


def backup(id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "app": "shop",
        "version": "v1.0.0",
        "reason": "by hand, ann",
        "created_at": before(hours=1),
        "files": 12,
        "data_size": 2**22,
        "archive_size": 2**20,
        "data_schema": "0002",
    } | more


def backups() -> list[dict[str, Any]]:
    """The newest first: a verified one, one that never was, and a damaged one."""
    return [
        backup("20260314-110000-000000", verified_at=before(minutes=30)),
        backup("20260313-120000-000000", created_at=before(days=1), version="v0.9.0", reason="before deployment d42"),
        backup("20260312-120000-000000", created_at=before(days=2), problem="backup.tar.gz is missing."),
    ]


def migrations() -> dict[str, Any]:
    applied = [{"revision": one, "previous": "", "compatible": True, "says": "orders"} for one in ("0001", "0002")]
    rollback = {"to": "v0.9.0", "way": "switch", "says": "v0.9.0 can run on the data. No migration is needed."}
    return {"app": "shop", "live": "v1.0.0", "applied": applied, "pending": [], "runs": [], "rollback": rollback}


def value(key: str, value: str = "", origin: str = "default", **more: Any) -> dict[str, Any]:
    return {"key": key, "value": value, "origin": origin, "line": None, "before": None} | more


def configuration(**more: Any) -> dict[str, Any]:
    values = [
        value("run.port", "8000", "file", line=12, before="80"),
        value("run.env.SMTP_PASS", "[hidden]", "file", line=14),
        value("run.memory"),
        value("address", "http://shop.localhost:8080", "derived"),
    ]
    notice = {"line": 20, "key": "workers", "says": "has no effect yet"}
    return {
        "app": "shop",
        "file": "control-panel-config.yaml",
        "values": values,
        "problems": ["control-panel-config.yaml:31: apps.till.port: unknown key"],
        "notices": [notice],
        "deployed": "d41",
        "is_changed": True,
        "is_known": True,
    } | more


class Events:
    """Events with ids from 1 on, a second apart, the newest just before NOW."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []

    def add(self, kind: str, deployment: str = "", app: str = "shop", **fields: Any) -> Events:
        number = len(self.all) + 1
        at = (NOW - timedelta(minutes=1) + timedelta(seconds=number)).isoformat()
        self.all.append({"id": number, "at": at, "kind": kind, "app": app, "deployment": deployment, "fields": fields})
        return self

    def steps(self, deployment: str, *names: str) -> Events:
        """These steps, each begun and done."""
        for name in names:
            self.add("step", deployment, step=name, state="running")
            self.add("step", deployment, step=name, state="done")
        return self
