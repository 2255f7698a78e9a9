"""Reports the migrations that the database lacks, a line each, as Changeover reads them: `python migrations/status.py`.

A revision that the release before cannot run on says so with a line `compatible = False`.
"""

import json
import os
import sqlite3

from alembic.config import Config
from alembic.script import ScriptDirectory

DATABASE = os.environ.get("SHOP_DATABASE", "/data/shop.db")


def current() -> str:
    with sqlite3.connect(DATABASE) as database:
        try:
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return "base"
    return str(row[0]) if row else "base"


scripts = ScriptDirectory.from_config(Config("alembic.ini"))
for script in reversed(list(scripts.iterate_revisions("head", current()))):
    report = {
        "revision": script.revision,
        "previous": script.down_revision or "base",
        "compatible": getattr(script.module, "compatible", True),
        "says": (script.doc or "").partition("\n")[0],
    }
    print("changeover:", json.dumps(report))
