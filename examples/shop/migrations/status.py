"""Reports the migrations that the database has and lacks, a line each, as Changeover reads them.

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
for applied, newest, oldest in ((True, current, "base"), (False, "head", current)):
    for script in reversed(list(scripts.iterate_revisions(newest, oldest))):
        report = {
            "revision": script.revision,
            "previous": script.down_revision or "base",
            "compatible": getattr(script.module, "compatible", True),
            "says": (script.doc or "").partition("\n")[0],
        }
        print("changeover:", json.dumps(report | ({"applied": True} if applied else {})))
