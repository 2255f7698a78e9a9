"""Hostile requests at a whole Changeover with a live app: which statuses they get, and what memory stays.

Run it alone: `python -m bench.hostile [number] [rounds]`. The requests have an admin token, so that the rare good one
among them deploys, rolls back, pauses or restores the app. A request that gets a status of 500 or more is printed with
its answer; one such, or a traceback in the log, or an app that does not answer afterwards, is exit code 1.
"""

from __future__ import annotations

import asyncio
import collections
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.support.images import build_image
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import MIGRATE_BOTH_WAYS, Stack, shop_config

AT_ONCE = 20
ROUNDS = 4
QUIET_S = 60
ANSWER_WITHIN_S = 60.0
START_WITHIN_S = 60.0
WORDS = [
    "shop",
    "panel",
    "",
    "a/b",
    "--gently",
    "..",
    "\x00",
    "\ud800",
    "9" * 20,
    "NaN",
    "-1",
    "x" * 9000,
    "ä",
    "%",
    "'",
]
PATHS = [
    "/v1/apps", "/v1/apps/{}", "/v1/apps/{}/logs?tail={}", "/v1/apps/{}/deployments?limit={}&before={}",
    "/v1/apps/{}/backups", "/v1/apps/{}/backups/{}/verify", "/v1/apps/{}/plan?kind={}", "/v1/apps/{}/pause",
    "/v1/apps/{}/rollback", "/v1/apps/{}/update", "/v1/deployments/{}", "/v1/deployments/{}/events?after={}",
    "/v1/deployments/{}/cancel", "/v1/events?after={}&recent={}", "/v1/tokens", "/v1/tokens/{}", "/v1/tokens?name={}",
    "/v1/config/validate", "/v1/audit?before={}&who={}", "/v1/sessions/current", "/healthz", "/{}",
]  # fmt: skip
METHODS = ["GET"] * 5 + ["POST"] * 5 + ["DELETE"] * 2 + ["PUT", "OPTIONS", "BREW"]


def body(chance: random.Random) -> bytes:
    value: object = chance.choice(WORDS)
    match chance.randrange(6):
        case 0:
            return b""
        case 1:
            return b"[" * chance.randrange(1, 50_000)
        case 2:
            return chance.randbytes(chance.randrange(5000))
        case 3:
            return b"x" * chance.choice([10, 100_000, 3_000_000])
        case _:
            names = ["name", "scope", "ref", "restore", "limit", "text", "apps", "expires_in"]
            return json.dumps({chance.choice(names): value, "scope": "read"}).encode()


def request(chance: random.Random, token: str) -> bytes:
    """One request, which may be anything but a good one."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(1, 3000)) + b"\r\n\r\n"
    path = chance.choice(PATHS)
    for _ in range(path.count("{}")):
        path = path.replace("{}", quote(chance.choice(WORDS), safe="", errors="surrogatepass"), 1)
    content = body(chance)
    lines = [f"{chance.choice(METHODS)} {path} HTTP/1.1", "Host: api.test", "Connection: close"]
    if chance.random() < 0.7:
        lines.append(f"Authorization: Bearer {token if chance.random() < 0.9 else 'wrong'}")
    if chance.random() < 0.2:
        lines.append(f"Idempotency-Key: {'k' * chance.choice([1, 300, 20_000])}")
    if chance.random() < 0.1:
        lines.append(f"Last-Event-ID: {chance.choice(['9' * 20, '-1', 'x'])}")
    lines.append(f"Content-Length: {chance.choice([len(content)] * 8 + [10**9, 0])}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + content


async def ask(port: int, sent: bytes) -> str:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(sent)
                first = await reader.readline()
                # An event stream has no end: its head is enough.
                rest = b"" if b" 200 " in first else await reader.read()
                if first.startswith(b"HTTP/1.1 5"):
                    print(f"{sent[:200]!r} got {first + rest!r}", flush=True)
            finally:
                writer.close()
    except ConnectionError:
        return "closed"
    except TimeoutError:
        return "no answer"
    return first.split()[1].decode() if first.startswith(b"HTTP/1.1 ") else "closed"


def memory_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def allocator() -> dict[str, str]:
    """The settings of the allocator that the images have."""
    return dict(re.findall(r"(MALLOC_\w+)=(\d+)", (ROOT / "Dockerfile").read_text()))


@contextmanager
def changeover() -> Iterator[Stack]:
    """With the allocator's settings of the images, and the shop live."""
    for target in ("proxy", "orchestrator"):
        build_image(target)
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository(Path(folder) / "repository", ROOT / "examples" / "shop")
        config = shop_config(repository.path, migrate=MIGRATE_BOTH_WAYS)
        with Stack(Path(folder), config, environment=allocator()) as stack:
            assert stack.deploy()["state"] == "live"
            yield stack


async def all_of_them(port: int, token: str, number: int, seed: int) -> collections.Counter[str]:
    chance, turns = random.Random(seed), asyncio.Semaphore(AT_ONCE)
    statuses: collections.Counter[str] = collections.Counter()

    async def one(sent: bytes) -> None:
        async with turns:
            statuses[await ask(port, sent)] += 1

    for _ in range(number // 500):
        await asyncio.gather(*(one(request(chance, token)) for _ in range(500)))
    return statuses


def answers_afterwards(stack: Stack) -> bool:
    """Once what the requests began has ended, and the pauses among them are taken back."""
    stack.wait_idle()
    stack.post("/apps/shop/resume")
    return stack.ask().status_code == 200


def main(number: int, rounds: int) -> int:
    with changeover() as stack:
        assert stack.process is not None
        process, port = stack.process.pid, stack.api_port
        totals = asyncio.run(all_of_them(port, stack.token, 1000, seed=0))
        print(f"memory after 1,000 requests: {memory_mb(process):.1f} MB")
        for seed in range(1, rounds + 1):
            began = time.monotonic()
            statuses = asyncio.run(all_of_them(port, stack.token, number, seed))
            totals += statuses
            took = time.monotonic() - began
            print(f"{number} requests in {took:.0f} s: {dict(sorted(statuses.items()))}; {memory_mb(process):.1f} MB")
            time.sleep(QUIET_S)
            print(f"after {QUIET_S} s of quiet: {memory_mb(process):.1f} MB", flush=True)
        answers = answers_afterwards(stack)
        tracebacks = stack.log.read_text(errors="replace").count("Traceback")
    refused = sum(count for status, count in totals.items() if status.startswith("5") or status == "no answer")
    print(f"5xx or no answer: {refused}; tracebacks in its log: {tracebacks}; the app answers afterwards: {answers}")
    return int(bool(refused or tracebacks or not answers))


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(main(*(given + [10_000, ROUNDS][len(given) :])))
