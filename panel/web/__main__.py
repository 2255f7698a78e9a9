"""`python -m panel.web`: the command of the panel's container."""

from __future__ import annotations

import os

import uvicorn

from http_limits.connections import ConnectionLimits, uvicorn_options
from http_limits.server import run
from panel.client.settings import configured_url
from panel.session.store import Store
from panel.web.routes import create
from panel.web.server import PanelServer

LARGEST_MESSAGE_BYTES = 256 * 1024
"""Of a page: what a person types or pastes."""

CONNECTIONS = ConnectionLimits(most=1000, most_kept=100)


def main() -> None:
    panel = PanelServer(configured_url(), Store(os.environ["PANEL_DATABASE_URL"]))
    config = uvicorn.Config(
        create(panel),
        host=os.environ.get("PANEL_HOST", "0.0.0.0"),
        port=int(os.environ.get("PANEL_PORT", "8000")),
        log_level="warning",
        timeout_graceful_shutdown=3,
        timeout_keep_alive=10,
        ws_max_size=LARGEST_MESSAGE_BYTES,
        **uvicorn_options(CONNECTIONS),
    )
    run(config)


if __name__ == "__main__":
    main()
