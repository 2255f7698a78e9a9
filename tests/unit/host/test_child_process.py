"""Child processes end for certain, with their children, when the task that waits for them is cancelled or late."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from orchestrator.host import child_process

STUBBORN = "trap '' TERM; echo $$ > {file}; sleep 60 & echo $! >> {file}; wait; wait"
MEEK = "echo $$ > {file}; sleep 60 & echo $! >> {file}; wait"


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


async def until_started(file: Path) -> list[int]:
    for _ in range(1000):
        if file.exists() and len(numbers := file.read_text().split()) == 2:
            return [int(number) for number in numbers]
        await asyncio.sleep(0.01)
    raise AssertionError("the process did not start")


async def until_gone(processes: list[int]) -> None:
    for _ in range(500):
        if not any(alive(process) for process in processes):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"still there: {[one for one in processes if alive(one)]}")


async def test_output_and_exit_code_of_a_command_are_given() -> None:
    ended = await child_process.run("sh", "-c", "echo out; echo err >&2; exit 3", env={}, timeout_s=30)

    assert (ended.exit_code, ended.out, ended.err) == (3, b"out\n", b"err\n")


@pytest.mark.parametrize("script", [MEEK, STUBBORN])
async def test_a_cancel_ends_the_process_and_its_children_before_it_goes_on(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "TERMINATE_WITHIN_S", 0.3)
    file = tmp_path / "processes"
    task = asyncio.create_task(child_process.run("bash", "-c", script.format(file=file), env={}, timeout_s=60))
    processes = await until_started(file)

    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not alive(processes[0])
    await until_gone(processes)


async def test_a_child_that_does_not_listen_ends_with_its_parent_that_does(tmp_path: Path) -> None:
    """Its parent had ended at the first signal, so that nobody sent the second one."""
    file = tmp_path / "processes"
    script = "echo $$ > {file}; (trap '' TERM; exec sleep 60 >/dev/null 2>&1) & echo $! >> {file}; wait"
    running = asyncio.create_task(child_process.run("sh", "-c", script.format(file=file), env={}, timeout_s=60))
    processes = await until_started(file)

    running.cancel()
    await asyncio.wait([running])

    await until_gone(processes)


async def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "processes"
    with pytest.raises(TimeoutError):
        await child_process.run("bash", "-c", MEEK.format(file=file), env={}, timeout_s=0.5)

    await until_gone(await until_started(file))


TALKATIVE = "trap '' TERM; yes"
TALKATIVE_AT_ITS_END = "trap 'seq 200000; echo done > {file}; exit' TERM; yes & sleep 60 & wait; wait"
WITH_A_CHILD_THAT_LEFT_ITS_GROUP = "setsid sleep 20 & sleep 60"


@pytest.mark.parametrize("script", [TALKATIVE, WITH_A_CHILD_THAT_LEFT_ITS_GROUP])
@pytest.mark.parametrize("err_apart", [True, False])
async def test_the_end_of_a_command_does_not_wait_for_its_output_to_be_read(script: str, err_apart: bool) -> None:
    # A fast machine writes more than is read before its time is over.
    async with asyncio.timeout(30):
        with pytest.raises((TimeoutError, child_process.OutputTooLong)):
            await child_process.run(
                "sh", "-c", script, env={}, timeout_s=0.2, terminate_within_s=0.2,
                on_chunk=None if err_apart else lambda _chunk: None,
            )  # fmt: skip


async def test_a_command_that_is_asked_to_end_may_still_print(tmp_path: Path) -> None:
    file = tmp_path / "ended"

    with pytest.raises(TimeoutError):
        await child_process.run(
            "sh", "-c", TALKATIVE_AT_ITS_END.format(file=file), env={}, timeout_s=0.2, on_chunk=lambda _chunk: None
        )

    assert file.exists()


async def test_a_cancel_at_any_moment_leaves_no_process_behind(tmp_path: Path) -> None:
    """Also while it is being started, when nobody has its number yet."""
    for number in range(30):
        mark = f"changeover-test-{os.getpid()}-{number}"
        task = asyncio.create_task(child_process.run("sleep", "60", env={"MARK": mark}, timeout_s=60))
        await asyncio.sleep(number * 0.0005)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    left = [
        process
        for process in Path("/proc").glob("[0-9]*")
        if f"changeover-test-{os.getpid()}-" in _environment(process) and int(process.name) != os.getpid()
    ]
    for process in left:
        os.kill(int(process.name), signal.SIGKILL)
    assert left == []


def _environment(process: Path) -> str:
    try:
        return (process / "environ").read_text(errors="replace")
    except OSError:
        return ""


async def test_a_command_that_does_not_exist_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        await child_process.run("changeover-no-such-command", env={}, timeout_s=5)


def test_a_child_gets_neither_secrets_nor_what_would_change_how_it_works() -> None:
    usual = {"PATH": "/bin", "HOME": "/root", "DOCKER_HOST": "unix:///x", "https_proxy": "http://p", "LC_ALL": "C"}
    others = {
        "CHANGEOVER_DATABASE_URL": "postgresql://u:p@h/d",
        "GIT_DIR": "/x",
        "GIT_SSH": "/x",
        "LD_PRELOAD": "/x.so",
    }

    assert child_process.inherited(usual | others) == usual


async def test_output_that_is_longer_than_is_read_is_an_error_and_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A part of a list of files is another list."""
    monkeypatch.setattr(child_process, "MOST_OUTPUT_BYTES", 1_000_000)

    whole = await child_process.run("head", "-c", "1000000", "/dev/zero", env={}, timeout_s=30)
    assert len(whole.out) == 1_000_000
    with pytest.raises(child_process.OutputTooLong, match="it wrote more than 0 MiB"):
        await child_process.run("cat", "/dev/zero", env={}, timeout_s=30)
    errors = await child_process.run("sh", "-c", "head -c 2000000 /dev/zero >&2", env={}, timeout_s=30)
    assert 900_000 < len(errors.err) <= 1_000_000


async def test_what_is_given_is_the_standard_input_also_of_a_process_that_does_not_read_it() -> None:
    much = b"line\n" * 200_000
    read = await child_process.run("wc", "-c", env={}, timeout_s=30, given=much)
    unread = await child_process.run("sh", "-c", "exec <&-; exit 3", env={}, timeout_s=30, given=much)
    none = await child_process.run("wc", "-c", env={}, timeout_s=30)

    assert int(read.out) == len(much)
    assert unread.exit_code == 3
    assert int(none.out) == 0
