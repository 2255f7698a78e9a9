"""An option with an empty value, as of a script's variable that is not set, is no option that was left out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperGroup, TyperOption
from typer.testing import CliRunner

from panel.cli.main import command
from panel.cli.output import USAGE


def options(group: TyperGroup, *before: str) -> Iterator[tuple[str, ...]]:
    """Each command's options that take a text, with what stands before them."""
    for name, one in group.commands.items():
        if isinstance(one, TyperGroup):
            yield from options(one, *before, name)
            continue
        needed = ["x" for each in one.params if each.param_type_name == "argument" and each.required]
        for each in one.params:
            if isinstance(each, TyperOption) and each.type_descriptor.annotation is str:
                yield (*before, name, *needed, each.opts[0])


def every_option() -> list[tuple[str, ...]]:
    whole = typer.main.get_command(command)
    assert isinstance(whole, TyperGroup)
    return list(options(whole))


@pytest.mark.parametrize("given", every_option(), ids=" ".join)
@pytest.mark.parametrize("value", ["", "  "])
def test_an_option_with_an_empty_value_is_refused(given: tuple[str, ...], value: str) -> None:
    result = CliRunner().invoke(command, [*given, value])

    assert result.exit_code == USAGE
    assert f"{given[-1]} is given without a value" in result.stderr.replace("\n", " ")


def test_the_options_that_name_a_release_are_among_them() -> None:
    assert {("deploy", one) for one in ("--ref", "--image", "--archive", "--version")} <= set(every_option())
