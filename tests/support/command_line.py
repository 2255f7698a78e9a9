"""The `changeover` command in this process."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

from typer.main import get_command
from typer.testing import CliRunner, Result

from panel.cli.main import command

if TYPE_CHECKING:
    from typer._click import Command


def changeover(*arguments: str, typed: str = "") -> Result:
    """As `CliRunner.invoke`, which makes Typer's tree of commands anew for each call: that takes 25 ms."""
    runner, code = CliRunner(), 0
    with runner.isolation(input=typed) as (stdout, stderr, output):
        try:
            _command().main(args=list(arguments), prog_name=runner.get_default_prog_name(_command()))
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
        return Result(runner, stdout.getvalue(), stderr.getvalue(), output.getvalue(), None, code, None)


@cache
def _command() -> Command:
    return get_command(command)
