"""The panel in a terminal: `changeover panel`."""

from __future__ import annotations

import asyncio
import os
import signal

from panel.client.client import Client
from panel.client.settings import configured_token, configured_url
from panel.restart import RESTART, start_again
from panel.session.conversation_file import ConversationFile
from panel.session.state_file import StateFile
from panel.session.state_folder import state_folder
from panel.terminal_app import TerminalApp

TERMINATED = 128 + signal.SIGTERM


def run_in_terminal() -> int:
    """Run the panel in this terminal until the person quits, or until SIGTERM, which would leave the terminal as the
    panel needs it. Returns the exit code. Raises NotSignedIn when the token cannot be read."""
    # Textual uses these instead of the terminal's real size.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    client = Client(configured_url(), configured_token())
    app = TerminalApp(client, StateFile(state_folder(), client.url))
    app.memory.turns = ConversationFile(state_folder(), client.url)

    async def until_it_ends() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.exit, None, TERMINATED)
        await app.run_async()

    asyncio.run(until_it_ends())
    app.save_last()
    if app.return_code == RESTART and app.left:
        start_again(app.left)
    return app.return_code or 0
