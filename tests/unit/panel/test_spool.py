"""What waits to be printed: in its order, whole, within its limits, also on a disk that is full."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import threading
import time

import pytest

from panel.cli.spool import Spool
from tests.support.paths import ROOT


@pytest.mark.parametrize("seed", range(20))
def test_chunks_come_out_as_they_were_put_in(seed: int) -> None:
    chance = random.Random(seed)
    spool = Spool(in_memory=100, most=10_000, segment=500)
    put: list[tuple[int, bytes]] = []
    taken: list[tuple[int, bytes] | None] = []
    for _ in range(400):
        if chance.random() < 0.6 or len(taken) == len(put):
            chunk = (chance.choice((1, 2)), chance.randbytes(chance.randrange(0, 90)))
            assert spool.put(*chunk)
            put.append(chunk)
        else:
            taken.append(spool.take())
    spool.close()
    while (chunk_or_end := spool.take()) is not None:
        taken.append(chunk_or_end)

    assert taken == put


def test_beyond_the_limit_nothing_is_taken_until_there_is_room_and_one_chunk_fits_always() -> None:
    spool = Spool(in_memory=10, most=100)

    assert spool.put(1, b"x" * 1000), "alone"
    assert not spool.put(1, b"y")
    assert spool.take() == (1, b"x" * 1000)
    assert [spool.put(1, b"z" * 30) for _ in range(4)] == [True, True, True, False]


def test_files_that_are_read_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(os.listdir("/proc/self/fd"))
    spool = Spool(in_memory=0, most=2**20, segment=1000)
    for _ in range(100):
        spool.put(1, b"x" * 500)
    many = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        spool.take()

    assert many > before + 40
    assert len(os.listdir("/proc/self/fd")) <= before + 1


FULL = """
import resource
from panel.cli.spool import Spool
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(in_memory=1000)
put = [bytes([number]) * 900 for number in range(9)]
fits = [one for one in put if spool.put(1, one)]
assert 3 <= len(fits) < 9, len(fits)
assert [spool.take() for _ in fits] == [(1, one) for one in fits]
assert spool.put(1, b"again")
assert spool.take() == (1, b"again")
"""


def test_a_disk_that_takes_no_more_is_a_limit_and_loses_nothing() -> None:
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run([sys.executable, "-c", FULL], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")


def test_whoever_waits_for_a_chunk_gets_it_and_the_end() -> None:
    spool = Spool()
    taken: list[tuple[int, bytes] | None] = []
    taker = threading.Thread(target=lambda: taken.extend([spool.take(), spool.take()]))
    taker.start()
    time.sleep(0.01)
    spool.put(2, b"late")
    spool.close()
    taker.join(5)

    assert taken == [(2, b"late"), None]
