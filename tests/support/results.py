"""What soak runs found, kept in bench/results: a line for each round, with the commit that it was found for."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

from tests.support.paths import ROOT

RESULTS = ROOT / "bench" / "results"


def keep_result(what: str, **found: object) -> None:
    """Append one line to this day's file of that name."""
    moment = datetime.now(UTC)
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], check=True, capture_output=True, text=True
    ).stdout.strip()
    RESULTS.mkdir(exist_ok=True)
    line = {"at": moment.isoformat(timespec="seconds"), "commit": commit, **found}
    with (RESULTS / f"{what}-{moment:%Y-%m-%d}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
