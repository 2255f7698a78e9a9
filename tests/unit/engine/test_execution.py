"""A command inside a running container: its number, by which it is ended, is found wherever it arrives."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from orchestrator.engine.docker.live_output import Execution
from orchestrator.host.output import Output

MARK = b"changeover-process 71\n"


class FakeContainer:
    """Answers as docker-py's container does. `killed`: the commands that were run to end the process."""

    id = "c1"

    def __init__(self, *chunks: bytes) -> None:
        self.killed: list[str] = []
        self.client = SimpleNamespace(
            api=SimpleNamespace(
                exec_create=lambda *_, **__: {"Id": "e1"},
                exec_start=lambda *_, **__: iter(chunks),
                exec_inspect=lambda _: {"ExitCode": 127},
            )
        )

    def exec_run(self, command: list[str]) -> None:
        self.killed.append(command[-1])


@pytest.mark.parametrize(
    ("chunks", "shown", "known"),
    [
        ((MARK, b"hello\n"), ["hello"], True),
        ((MARK[:9], MARK[9:] + b"hello\n"), ["hello"], True),
        ((b"sh: 1: exec: psq: not found\n", MARK), ["sh: 1: exec: psq: not found"], True),
        ((b"a warning\n", MARK, b"hello\n"), ["a warning", "hello"], True),
        ((b"exec: sh: not found",), ["exec: sh: not found"], False),
    ],
    ids=["first", "in two", "after an error", "after a warning", "never"],
)
def test_the_line_with_the_number_is_taken_out_and_nothing_else(
    chunks: tuple[bytes, ...], shown: list[str], known: bool
) -> None:
    lines: list[str] = []
    container = FakeContainer(*chunks)
    execution = Execution(container, ("psq",), {}, Output(lines.append))

    code = execution.run()
    execution.close()
    execution.end()

    assert (code, lines) == (127, shown)
    assert container.killed == (["kill -KILL -71 || kill -KILL 71"] if known else [])
