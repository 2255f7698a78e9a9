"""Where `changeover` begins: Ctrl-C ends it quietly also while its modules are imported, which takes half a second."""

from __future__ import annotations

import sys

from panel.cli.standard_streams import make_whole

INTERRUPTED = 130


def main() -> None:
    try:
        make_whole()
        from panel.cli.main import main as begin

        begin()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
