"""The logs of removed containers: in files of ours alone, limited, and forgotten with the output of a deployment."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from orchestrator.domain.log_line import LogLine, LogPart
from orchestrator.engine.base import LABEL_APP, LABEL_COLOUR, LABEL_DEPLOYMENT, LABEL_NUMBER, LABEL_RELEASE
from orchestrator.logs import kept
from orchestrator.logs.kept import KeptLogs

AT = "2026-11-28T08:00:0{}.000000000Z"
LINES = (LogLine(AT.format(1), "one"), LogLine("", "  two  "), LogLine(AT.format(3), "", is_error=True))


def labels(deployment: str = "d1", app: str = "shop") -> dict[str, str]:
    return {
        LABEL_APP: app, LABEL_DEPLOYMENT: deployment, LABEL_NUMBER: "7", LABEL_COLOUR: "blue", LABEL_RELEASE: "v1",
    }  # fmt: skip


def test_what_was_kept_is_read_again_as_it_was(tmp_path: Path) -> None:
    logs = KeptLogs(tmp_path / "logs")
    logs.keep("shop-blue-d1", labels(), LogPart(LINES, left_out="9 lines before this not kept"))

    ((file, about),) = logs.of("shop").items()

    assert tuple(logs.lines(file)) == LINES
    assert (about.container, about.deployment, about.number, about.colour, about.version) == (
        "shop-blue-d1", "d1", 7, "blue", "v1",
    )  # fmt: skip
    assert (about.first_at, about.last_at, about.lines) == (AT.format(1), AT.format(3), 3)
    assert about.left_out == "9 lines before this not kept"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("container", "deployment", "app"),
    [
        ("shop", "../../d1", "shop"), ("shop", "d1", "../elsewhere"), ("shop", "d1", ""), ("a/b", "d1", "shop"),
        ("shop", "", "shop"), ("shop", "d1\n", "shop"),
    ],
)  # fmt: skip
def test_labels_that_are_not_ours_write_nothing(tmp_path: Path, container: str, deployment: str, app: str) -> None:
    logs = KeptLogs(tmp_path / "logs")
    logs.keep(container, labels(deployment, app), LogPart(LINES))

    assert not list(tmp_path.rglob("*.gz"))


def test_only_the_logs_of_these_deployments_are_kept(tmp_path: Path) -> None:
    logs = KeptLogs(tmp_path / "logs")
    for deployment in ("d1", "d2", "d3"):
        logs.keep(f"shop-{deployment}", labels(deployment), LogPart(LINES))

    logs.forget("shop", ["d2", "d4"])
    assert [one.deployment for one in logs.of("shop").values()] == ["d2"]

    logs.forget("shop")
    assert not list((tmp_path / "logs").iterdir())


def test_an_app_keeps_so_many_files_and_bytes_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = KeptLogs(tmp_path / "logs")
    monkeypatch.setattr(kept, "MOST_FILES", 2)
    for deployment in ("d3", "d1", "d2"):
        logs.keep("shop", labels(deployment), LogPart(LINES))
    assert {one.deployment for one in logs.of("shop").values()} == {"d1", "d2"}

    monkeypatch.setattr(kept, "MOST_BYTES", 300)
    logs.keep("shop", labels("d4"), LogPart(LINES))
    assert {one.deployment for one in logs.of("shop").values()} == {"d4"}


def test_a_damaged_file_is_left_out_and_does_not_hide_the_others(tmp_path: Path) -> None:
    logs = KeptLogs(tmp_path / "logs")
    for deployment in ("d1", "d2"):
        logs.keep("shop", labels(deployment), LogPart(LINES * 1000))
    torn, half = logs.of("shop")
    torn.write_bytes(b"nothing")
    half.write_bytes(half.read_bytes()[:-20])

    assert list(logs.of("shop")) == [half]
    assert not list(logs.lines(torn))
    assert set(logs.lines(half)) <= set(LINES)


def test_a_log_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = KeptLogs(tmp_path / "logs")
    monkeypatch.setattr(kept, "open_new", lambda _path: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(OSError, match="No space"):
        logs.keep("shop", labels(), LogPart(LINES))

    assert not list(tmp_path.rglob("*.gz*"))
