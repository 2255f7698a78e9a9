"""The panel's pages, against a real process of its web server: memory of each, and time to the first whole picture.

Run it alone: `python -m bench.pages [pages] [checkout]`. A page is a WebSocket; the time is from asking for it to the
last of the words that the dashboard shows. The orchestrator is one that answers at once.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from websockets.sync.client import ClientConnection

from tests.component.test_web import Web, migrated, serving_apps, until_painted
from tests.support.addresses import free_port
from tests.support.paths import ROOT

ROUNDS = 10


def descendants(process: int) -> set[int]:
    children = {int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()}
    return children.union(*map(descendants, children))


def own_mb(process: int) -> float:
    """What would be free again if it ended: its unique set size."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


def shared_fairly_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def picture_ms(web: Web, name: str, pages: ExitStack) -> tuple[float, ClientConnection]:
    began = time.monotonic()
    socket = pages.enter_context(web.session(name))
    until_painted(socket, "shop", "till", "v1.0.0")
    return (time.monotonic() - began) * 1000, socket


def main(pages: int, checkout: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, serving_apps() as api:
        port = free_port()
        settings = {
            "CHANGEOVER_URL": api.url, "CHANGEOVER_VERSION": "v1.2.3", "PANEL_DATABASE_URL": migrated(Path(folder)),
            "PANEL_HOST": "127.0.0.1", "PANEL_PORT": str(port),
            "PANEL_MAX_PAGES": "100", "PANEL_MAX_PAGES_OF_TOKEN": "100",
            "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072",
        }  # fmt: skip
        process = subprocess.Popen([sys.executable, "-m", "panel.web"], cwd=checkout, env=os.environ | settings)
        web = Web(f"http://127.0.0.1:{port}", process)
        try:
            web.until_readyz("ready")
            time.sleep(2)
            alone = []
            for number in range(ROUNDS):
                with ExitStack() as one:
                    alone.append(picture_ms(web, f"alone{number}", one)[0])
                time.sleep(2)
            with ExitStack() as many:
                behind = [picture_ms(web, f"behind{number}", many)[0] for number in range(pages)]
                time.sleep(3)
                before = descendants(process.pid)
                own = sorted(own_mb(one) for one in before)
                fair = sum(shared_fairly_mb(one) for one in before)
            print(
                json.dumps(
                    {
                        "checkout": str(checkout.name), "first picture, ms": round(statistics.median(alone)),
                        "worst": round(max(alone)), "one right after the other, ms": round(statistics.median(behind)),
                        "processes": len(before), "own MB, median": round(statistics.median(own), 1),
                        "own MB, most": round(own[-1], 1), "all together MB (PSS)": round(fair, 1),
                    }
                )
            )  # fmt: skip
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10, Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT)
