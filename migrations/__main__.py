"""`python -m migrations {panel|orchestrator} {upgrade|downgrade|status} [REVISION]`: change or show a schema.

Each schema revision is reported in one line, which the orchestrator reads. The environment variable PANEL_DATABASE_URL
or CHANGEOVER_DATABASE_URL is the URL of the database.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa

from migrations.configuration import CannotChange
from migrations.database import connect, current, head
from migrations.revisions import Unreachable, downgrade, pending, upgrade

URL_VARIABLE = {"panel": "PANEL_DATABASE_URL", "orchestrator": "CHANGEOVER_DATABASE_URL"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m migrations", description="Change or show a database schema.")
    parser.add_argument("home", choices=sorted(URL_VARIABLE))
    parser.add_argument("action", choices=["upgrade", "downgrade", "status"])
    parser.add_argument("revision", nargs="?", default="head", help="the schema revision to go to (default: head)")
    arguments = parser.parse_args()
    url = os.environ.get(URL_VARIABLE[arguments.home])
    if not url:
        variable = URL_VARIABLE[arguments.home]
        print(f"The environment variable {variable} is not set. Set it to the URL of the database.", file=sys.stderr)
        return 2
    try:
        engine = connect(url)
    except (sa.exc.ArgumentError, ValueError, ImportError):
        # The address is not repeated: it has a password.
        print(
            f"{arguments.home}: {URL_VARIABLE[arguments.home]} is not the address of a database. Set it to "
            "postgresql://USER:PASSWORD@HOST/NAME, with special characters as %40 and the like, or leave it empty.",
            file=sys.stderr,
        )
        return 2
    try:
        match arguments.action:
            case "upgrade":
                told = upgrade(arguments.home, engine, arguments.revision, _configuration(arguments.home))
            case "downgrade":
                told = downgrade(arguments.home, engine, arguments.revision, _configuration(arguments.home))
            case _:
                told = pending(arguments.home, engine)
        stands_at = current(engine) or "base"
    except (Unreachable, CannotChange, sa.exc.OperationalError) as error:
        print(f"{arguments.home}: {error}", file=sys.stderr)
        return 1
    for one in told:
        print("changeover:", json.dumps(asdict(one)))
    print(f"{arguments.home}: schema {stands_at}, newest {head(arguments.home)}")
    return 0


def _configuration(home: str) -> Path | None:
    """The configuration file, which only migrations of the orchestrator change."""
    named = os.environ.get("CHANGEOVER_CONFIG")
    return Path(named) if named and home == "orchestrator" else None


if __name__ == "__main__":
    raise SystemExit(main())
