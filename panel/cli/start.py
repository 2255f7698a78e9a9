"""Where `changeover` begins: Ctrl-C ends it quietly also while its modules are imported, which takes half a second."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from panel.cli.standard_streams import NotWritten, drop_the_rest, make_whole

FAILED, INTERRUPTED = 1, 130


def main() -> None:
    make_whole()
    try:
        try:
            from panel.cli.main import main as begin

            begin()
        except SystemExit as ended:
            if ended.code == INTERRUPTED:
                drop_the_rest()
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    except KeyboardInterrupt:
        # What is left may wait for a reader that takes nothing, and nobody waits for it any more.
        drop_the_rest()
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # its reader has left, such as `head`
        drop_the_rest()
        sys.exit(FAILED)
    except NotWritten as error:
        says = f"What was printed is not whole: {error.strerror}. Make room, or choose another place for it.\n"
        with suppress(OSError):  # nothing is left to say it on
            os.write(2, says.encode())
        drop_the_rest()
        sys.exit(FAILED)
