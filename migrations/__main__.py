"""`python -m migrations panel upgrade head`: what the panel's sidecar runs.

The database is the one of PANEL_DATABASE_URL or CHANGEOVER_DATABASE_URL.
"""

from __future__ import annotations

import argparse
import os
import sys

from migrations.database import connect, current, head
from migrations.revisions import downgrade, upgrade

URL_VARIABLE = {"panel": "PANEL_DATABASE_URL", "orchestrator": "CHANGEOVER_DATABASE_URL"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m migrations", description="Change or show a database schema.")
    parser.add_argument("home", choices=sorted(URL_VARIABLE))
    parser.add_argument("action", choices=["upgrade", "downgrade", "current"])
    parser.add_argument("revision", nargs="?", default="head")
    arguments = parser.parse_args()
    url = os.environ.get(URL_VARIABLE[arguments.home])
    if not url:
        print(f"{URL_VARIABLE[arguments.home]} is not set: it names the database to work on", file=sys.stderr)
        return 2
    engine = connect(url)
    before = current(engine)
    if arguments.action == "upgrade":
        upgrade(arguments.home, engine, arguments.revision)
    elif arguments.action == "downgrade":
        downgrade(arguments.home, engine, arguments.revision)
    print(
        f"{arguments.home}: schema {before or 'empty'} -> {current(engine) or 'empty'} (newest {head(arguments.home)})"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
