"""`python -m orchestrator`: the server."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from typing import IO

import structlog
import uvicorn

from orchestrator import tokens
from orchestrator.api.server import create
from orchestrator.errors import ChangeoverError
from orchestrator.orchestrator import Orchestrator
from orchestrator.settings import Settings

log = structlog.get_logger()

USAGE_ERROR = 2
ANOTHER_IS_RUNNING = 3


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m orchestrator",
        description="The orchestrator: deploys apps with Docker, and serves the HTTP API.",
        epilog="Settings are environment variables whose names begin with CHANGEOVER_; see orchestrator/settings.py.",
    ).parse_args()
    settings = Settings()
    settings.state.mkdir(parents=True, exist_ok=True)
    lock = hold_lock(settings)
    if lock is None:
        print(f"Another orchestrator works on {settings.state}; stop it first.", file=sys.stderr)
        return ANOTHER_IS_RUNNING
    # HAProxy's container runs as another user and makes its sockets in this folder, which only the two of us see.
    settings.proxy.mkdir(parents=True, exist_ok=True)
    os.chmod(settings.proxy, 0o1777)
    try:
        orchestrator = Orchestrator(settings)
        orchestrator.load()
    except ChangeoverError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    if path := tokens.leave_first_token(orchestrator.journal, settings.token_folder):
        log.info("first start: the token to sign in with was written", file=str(path))
    uvicorn.run(
        create(orchestrator),
        host=settings.api_host,
        port=settings.api_port,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
    return 0


def hold_lock(settings: Settings) -> IO[str] | None:
    """One orchestrator per journal. The kernel takes the lock back when its holder ends, however it ends."""
    file = open(settings.state / "lock", "w")  # noqa: SIM115 (held until the process ends)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


if __name__ == "__main__":
    raise SystemExit(main())
