"""The question before a command that cannot be taken back, or that takes a release or access away.

One rule for all of them: the command says what it is about to do and asks; the answer is No unless the person types y.
`--yes` asks nothing, for scripts. Where nobody can answer (no terminal, end of the input), nothing is done.
"""

from __future__ import annotations

from collections.abc import Iterable

import typer

from panel.cli.output import FAILED, err, stop


def ask(question: str, says: Iterable[str] = ()) -> None:
    """Print what is about to happen and ask, on stderr: a program may read the output. Returns only for yes."""
    for sentence in says:
        err.print(sentence, markup=False)
    try:
        wanted = typer.confirm(question, err=True)
    except typer.Abort:
        stop("\nNot confirmed, nothing was done. Without a terminal, confirm it by --yes.", FAILED)
    if not wanted:
        stop("Not confirmed, nothing was done.", FAILED)
