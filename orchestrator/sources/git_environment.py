"""The environment of every git process."""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain.source_names import SCHEMES

ENVIRONMENT = {
    # No prompts, no helpers, no transport that runs a program, no configuration but ours. child_process passes no GIT_*
    # variable of the orchestrator's own on.
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("git.config")),
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
