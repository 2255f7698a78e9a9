"""What the engine's init says of a command that it cannot start is told as Docker's own refusal; all else is output."""

from __future__ import annotations

import pytest

from orchestrator.engine.docker.init import InitsWord
from orchestrator.engine.docker.refusals import refused
from orchestrator.errors import NotStarted

MISSING = b"[FATAL tini (7)] exec nosuch failed: No such file or directory\n"


def fed(*chunks: bytes) -> tuple[InitsWord, list[bytes]]:
    shown: list[bytes] = []
    word = InitsWord(shown.append)
    for chunk in chunks:
        word.feed(chunk)
    return word, shown


@pytest.mark.parametrize("cut", range(len(MISSING)))
def test_a_program_that_is_not_there_is_told_as_docker_tells_it(cut: int) -> None:
    word, shown = fed(MISSING[:cut], MISSING[cut:])

    why = word.refusal("nosuch", 127)

    assert isinstance(why, NotStarted)
    assert (why.exit_code, why.never_began, shown) == (127, True, [])
    assert why.told == refused_told("nosuch")


def refused_told(program: str) -> str:
    docker = refused(f'exec: "{program}": executable file not found in $PATH: unknown')
    assert isinstance(docker, NotStarted)
    return docker.told


@pytest.mark.parametrize(
    ("said", "program", "code"),
    [
        (b"[FATAL tini (7)] exec /srv/go failed: No such file or directory\r\n", "/srv/go", 127),
        (b"[FATAL tini (8)] exec /etc/passwd failed: Permission denied\n", "/etc/passwd", 126),
        (b"[FATAL tini (8)] exec a: b failed: No such file or directory\n", "a: b", 127),
    ],
)
def test_each_cause_has_its_exit_code(said: bytes, program: str, code: int) -> None:
    why = fed(said)[0].refusal(program, code)

    assert why is not None
    assert why.never_began
    assert getattr(why, "exit_code", code) == code


@pytest.mark.parametrize(
    ("chunks", "program", "exit_code"),
    [
        ((b"hello\n",), "nosuch", 1),
        ((b"[FATAL]", b" of the app\n"), "nosuch", 1),
        ((b"[", b"F"), "nosuch", 1),
        ((b"", b"rows\n", MISSING), "nosuch", 127),
        ((MISSING, b"more\n"), "nosuch", 127),
        ((MISSING,), "entrypoint.sh", 127),
        ((MISSING,), "nosuch", 0),
        ((b"[FATAL tini (7)] " + b"x" * 20_000,), "nosuch", 1),
        ((), "nosuch", 1),
    ],
    ids=[
        "output",
        "begins alike",
        "a part",
        "after output",
        "before output",
        "of an inner init",
        "done",
        "long",
        "none",
    ],
)
def test_what_is_the_commands_own_is_passed_on_whole(chunks: tuple[bytes, ...], program: str, exit_code: int) -> None:
    word, shown = fed(*chunks)

    assert word.refusal(program, exit_code) is None
    assert b"".join(shown) == b"".join(chunks)


def test_a_host_without_an_init_is_told_what_to_install() -> None:
    why = refused(
        "failed to create task for container: OCI runtime create failed: runc create failed: "
        'unable to start container process: exec: "docker-init": executable file not found in $PATH: unknown'
    )

    assert not isinstance(why, NotStarted)
    assert "missing on the host" in why.cause
