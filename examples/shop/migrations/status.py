"""Reports the migrations that the database lacks, a line each, as Changeover reads them: `python migrations/status.py`.

A revision that the release before cannot run on says so with a line `compatible = False`.
"""

import json

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from database import engine

with engine().connect() as connection:
    current = MigrationContext.configure(connection).get_current_revision() or "base"
scripts = ScriptDirectory.from_config(Config("alembic.ini"))
for script in reversed(list(scripts.iterate_revisions("head", current))):
    report = {
        "revision": script.revision,
        "previous": script.down_revision or "base",
        "compatible": getattr(script.module, "compatible", True),
        "says": (script.doc or "").partition("\n")[0],
    }
    print("changeover:", json.dumps(report))
