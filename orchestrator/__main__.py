"""`python -m orchestrator`: start the server."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import sys
from typing import IO

import structlog
import uvicorn

from border.secrets import Secrets
from http_limits.connections import ConnectionLimits, uvicorn_options
from http_limits.server import run
from orchestrator.access import tokens
from orchestrator.api.application import create
from orchestrator.api.waiting_room import WaitingRoom
from orchestrator.errors import ChangeoverError
from orchestrator.host import process_log
from orchestrator.server import Orchestrator
from orchestrator.settings import Settings

log = structlog.get_logger()

CONNECTIONS = ConnectionLimits(most=500, most_kept=200)
KEEP_ALIVE_S = 15
DESCRIPTION = "The Changeover server. It is configured by environment variables; orchestrator/settings.py lists them."
USAGE_ERROR = 2
ANOTHER_IS_RUNNING = 3


def main() -> int:
    argparse.ArgumentParser(prog="python -m orchestrator", description=DESCRIPTION).parse_args()
    known_secrets = Secrets()
    process_log.write_to(sys.stdout, known_secrets)
    settings = Settings()
    settings.state.mkdir(parents=True, exist_ok=True)
    lock = take_lock(settings)
    if lock is None:
        print(f"Another orchestrator uses {settings.state}. Stop it first.", file=sys.stderr)
        return ANOTHER_IS_RUNNING
    # HAProxy's container runs as another user and creates its sockets in this folder. Only the proxy and the
    # orchestrator mount it.
    settings.proxy.mkdir(parents=True, exist_ok=True)
    os.chmod(settings.proxy, 0o1777)
    try:
        waiting = WaitingRoom(settings, known_secrets)
        orchestrator = asyncio.run(waiting.until_open(lambda: open_orchestrator(settings, known_secrets)))
    except ChangeoverError as error:
        print(known_secrets.text(str(error)), file=sys.stderr)
        return USAGE_ERROR
    if orchestrator is None:
        return 0
    config = uvicorn.Config(
        create(orchestrator),
        host=settings.api_host,
        port=settings.api_port,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=KEEP_ALIVE_S,
        **uvicorn_options(CONNECTIONS),
    )
    run(config)
    return 0


def open_orchestrator(settings: Settings, known_secrets: Secrets) -> Orchestrator:
    """The orchestrator with its journal and configuration. Raises JournalError, ProxyError or Refused.

    The journal is closed again where that fails, so that this can be tried again.
    """
    orchestrator = Orchestrator(settings, known_secrets=known_secrets)
    try:
        orchestrator.load()
        if path := tokens.leave_first_token(orchestrator.journal, settings.token_folder):
            log.info("first token written", file=str(path))
    except BaseException:
        orchestrator.journal.close()
        raise
    return orchestrator


def take_lock(settings: Settings) -> IO[str] | None:
    """Lock the state folder, so that one orchestrator uses the journal. None when another process has the lock.

    The kernel removes the lock when the process ends, also when it is killed.
    """
    file = open(settings.state / "lock", "w")  # noqa: SIM115 (open until the process ends)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


if __name__ == "__main__":
    raise SystemExit(main())
