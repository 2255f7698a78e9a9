"""`python -m orchestrator.config FILE`: check a configuration file where no orchestrator runs yet.

It prints what the API's /v1/config/validate answers, as JSON. `changeover validate` runs it when no orchestrator
answers. Repositories at paths are not looked for, because they must be in the orchestrator's container.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from orchestrator.config import loader
from orchestrator.config.preflight import notify_files, preflight, read_files
from orchestrator.errors import ConfigError


def checked(file: Path) -> dict[str, list[str]]:
    """Why the file would be refused or cannot work; otherwise, which of its keys have no effect yet."""
    try:
        loaded = loader.load(file)
    except ConfigError as error:
        return {"problems": [str(problem) for problem in error.problems], "notices": []}
    files = {named for app in loaded.config.all_apps().values() for _key, named in read_files(app)}
    files |= {named for _key, named in notify_files(loaded.config)}
    problems = asyncio.run(preflight(loaded.config, file.absolute().parent, files))
    return {"problems": problems, "notices": [str(notice) for notice in loaded.notices]}


if __name__ == "__main__":
    print(json.dumps(checked(Path(sys.argv[1]))))
