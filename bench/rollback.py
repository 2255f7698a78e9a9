"""How long new requests still reach the old colour after a rollback was asked for."""

from __future__ import annotations

import statistics
import threading
import time

import httpx

from tests.support.stack import Stack

ROUNDS = 9
CLIENTS = 4
LONGEST_S = 5.0


def measure(stack: Stack) -> float:
    """Seconds, the median of the rounds; each is a rollback to a paused standby, which makes the next one's."""
    return statistics.median([_one(stack) for _ in range(ROUNDS)])


def _one(stack: Stack) -> float:
    leaving = stack.app()["active"]["version"]
    begun: list[float] = []
    stop = threading.Event()
    clients = [threading.Thread(target=_ask, args=(stack, leaving, begun, stop)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(0.3)
    asked = time.monotonic()
    record = stack.rollback()
    time.sleep(0.2)
    stop.set()
    for client in clients:
        client.join()
    stack.wait_ended(record["id"])
    return max(0.0, max(begun) - asked)


def _ask(stack: Stack, leaving: str, begun: list[float], stop: threading.Event) -> None:
    """Note when each request began that the release being left answered."""
    deadline = time.monotonic() + LONGEST_S
    with httpx.Client(headers={"Host": "shop.test"}, verify=False) as client:
        while not stop.is_set() and time.monotonic() < deadline:
            moment = time.monotonic()
            if client.get(stack.url("/")).json()["release"] == leaving:
                begun.append(moment)
            time.sleep(0.0005)
