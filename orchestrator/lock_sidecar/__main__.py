"""`python -m orchestrator.lock_sidecar`: look at the locks on an app's data that the processes of one container hold.

It runs in a sidecar that sees the processes of that container and mounts the app's data. It changes nothing and locks
nothing. It prints one line of JSON for each look, `{"held": ["..."]}`, until it is stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

from orchestrator.lock_sidecar.look import Files, Sessions, databases

EVERY_S = 0.03
LONGEST_S = 600.0
MOST_SHOWN = 5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="")
    parser.add_argument("--address", required=True)
    wanted = parser.parse_args()
    places: list[Files | Sessions] = [Files(Path(wanted.data))] if wanted.data else []
    places += [Sessions(url, wanted.address) for url in databases(os.environ)]
    ends = time.monotonic() + LONGEST_S
    while time.monotonic() < ends:
        held = [what for place in places for what in place.held()]
        print(json.dumps({"held": held[:MOST_SHOWN]}), flush=True)
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
