"""The question before a command that cannot be taken back, or that takes a release or access away.

One rule for all of them: the command says what it is about to do and asks; the answer is No unless the person types y.
`--yes` asks nothing, for scripts. Where nobody can answer (no terminal, end of the input), nothing is done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from panel.cli.output import FAILED, INTERRUPTED, err, stop

MOST_TYPED = 1000
"""Characters that are read as one answer."""
TRIES = 3
"""So many answers that are neither yes nor no are one: an input without end may have no other."""


def ask(question: str, says: Iterable[str] = ()) -> None:
    """Print what is about to happen and ask, on stderr: a program may read the output. Returns only for yes."""
    for sentence in says:
        err.print(sentence, markup=False)
    wanted = _answer(question)
    if wanted is None:
        stop("\nNot confirmed, nothing was done. Without a terminal, confirm it by --yes.", FAILED)
    if not wanted:
        stop("Not confirmed, nothing was done.", FAILED)


def _answer(question: str) -> bool | None:
    """Whether it is yes; None at the end of the input. Typer's own question leaves a blank on standard output."""
    for _ in range(TRIES):
        print(f"{question} [y/N]: ", end="", file=sys.stderr, flush=True)
        try:
            line = sys.stdin.readline(MOST_TYPED)
        except KeyboardInterrupt:
            stop("\nNot confirmed, nothing was done.", INTERRUPTED)
        if not line:
            return None
        word = line.strip().lower()
        if word in ("y", "yes"):
            return True
        if word in ("n", "no", ""):
            return False
        err.print("Answer y or n.")
    return False
