"""The commands that the console understands: `app_commands.py` and `source_commands.py` have those that change
nothing, `change_commands.py` the others.

For a new one, add a row there and its answer in `answers/of_all.py` or `changes.py`. Of the patterns that match a line,
the one counts of which most words are no slots; of two alike, the first.
"""

from __future__ import annotations

from panel.console.app_commands import APP_COMMANDS
from panel.console.change_commands import CHANGING as CHANGING
from panel.console.source_commands import SOURCE_COMMANDS

LOOKING = APP_COMMANDS + SOURCE_COMMANDS
COMMANDS = LOOKING + CHANGING
NAMED = {one.name: one for one in COMMANDS}
