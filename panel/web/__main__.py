"""`python -m panel.web`: the command of the panel's container."""

from __future__ import annotations

import os

import uvicorn

from panel.client.settings import configured_url
from panel.session.store import Store
from panel.web.server import PanelServer, create


def main() -> None:
    panel = PanelServer(configured_url(), Store(os.environ["PANEL_DATABASE_URL"]))
    uvicorn.run(
        create(panel),
        host=os.environ.get("PANEL_HOST", "0.0.0.0"),
        port=int(os.environ.get("PANEL_PORT", "8000")),
        log_level="warning",
        timeout_graceful_shutdown=3,
        timeout_keep_alive=65,
    )


if __name__ == "__main__":
    main()
