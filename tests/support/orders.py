"""Orders at a steady rate: `python -m tests.support.orders PORT HOST RATE RESULT` until its standard input ends.

A process of its own, so that the test that starts it takes none of its time. Each of several writers numbers its
orders, so that a copy of the shop's database can be told to be of one moment: whoever's order 17 is in it, all the
orders before it must be, too. Requests go to 127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol

import httpx

from tests.support.paths import ROOT

WRITERS = 8
ORDERS_PER_S = 200
"""As many as there shall be where nothing else is asked for; a busy machine makes it fewer."""
LONGEST_RUN_S = 900
MOST_URGENT = -15


class Reachable(Protocol):
    """Whatever has a shop behind a port of 127.0.0.1."""

    port: int

    @property
    def host(self) -> str: ...


@dataclass
class Orders:
    """What was acknowledged: by writer the number of its last order; when each began, and how long it took, in s."""

    last: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.began)

    @property
    def rate(self) -> float:
        """Orders a second, from the first to the last."""
        return self.count / (self.began[-1] - self.began[0])

    def count_since(self, moment: float) -> int:
        return sum(began >= moment for began in self.began)

    def p99(self, *spans: tuple[float, float]) -> float:
        """Of the orders that began in these spans of time, in seconds."""
        both = zip(self.began, self.took, strict=True)
        took = [took for began, took in both if any(start <= began < end for start, end in spans)]
        return statistics.quantiles(took, n=100)[98]

    def ids(self) -> set[str]:
        return {f"{writer}-{number}" for writer, last in self.last.items() for number in range(1, last + 1)}


class Ordering:
    """Starts on entry; on exit `result` says what came of it."""

    def __init__(self, place: Reachable, folder: Path, rate: int) -> None:
        self._file = folder / f"orders-{time.monotonic_ns()}.json"
        arguments = [str(place.port), place.host, str(rate), str(self._file)]
        self._command = [sys.executable, "-m", "tests.support.orders", *arguments]
        self.result = Orders()

    def __enter__(self) -> Ordering:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stdin=subprocess.PIPE)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(timeout=90) == 0
        self.result = Orders(**json.loads(self._file.read_text()))


async def write(port: int, host: str, rate: int) -> Orders:
    orders, prefix = Orders(), f"w{time.monotonic_ns():x}"
    limits = httpx.Limits(max_connections=WRITERS, max_keepalive_connections=WRITERS)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Host": host}, timeout=60, limits=limits
    ) as client:

        async def one_after_another(writer: str) -> None:
            due = time.monotonic()
            for number in range(1, rate * LONGEST_RUN_S):
                due += WRITERS / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                began = time.monotonic()
                try:
                    answer = await client.post(f"/orders/{writer}-{number}")
                except httpx.HTTPError as error:
                    orders.failures.append(f"{writer}-{number}: {type(error).__name__} {error}")
                    return
                if not answer.is_success:
                    orders.failures.append(f"{writer}-{number}: {answer.status_code}")
                    return
                orders.last[writer] = number
                orders.began.append(began)
                orders.took.append(time.monotonic() - began)

        tasks = [asyncio.create_task(one_after_another(f"{prefix}-{number}")) for number in range(WRITERS)]
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(), LONGEST_RUN_S)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        orders.failures += [repr(one) for one in ended if isinstance(one, Exception)]
    return orders


def main() -> None:
    if os.geteuid() == 0:
        # Customers have processors of their own: what this machine does for others must not slow their watch.
        os.nice(MOST_URGENT)
    port, host, rate, file = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    file.write_text(json.dumps(asdict(asyncio.run(write(port, host, rate)))))


if __name__ == "__main__":
    main()
