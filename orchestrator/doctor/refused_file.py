"""What `status` and the doctor say of a configuration file that is not in use."""

from __future__ import annotations

from orchestrator.config.watcher import ConfigFile


def refused_file(file: ConfigFile) -> str:
    """Why it is not in use, a line for each of its errors, and which configuration is. Empty if it is in use."""
    if not file.problem or file.waits:
        return file.problem
    in_use = "The last valid configuration is in use" if file.is_known else "No configuration is in use"
    errors = file.problem.splitlines()
    if len(errors) == 1:
        return f"{in_use}: {file.problem}"
    return "\n".join([f"{in_use}: the file has {len(errors)} errors", *errors])
