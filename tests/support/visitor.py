"""Somebody who keeps using the shop while things go wrong behind the scenes."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Protocol

import httpx

from tests.support.user import NO_TLS

PAUSE_S = 0.02


class Shop(Protocol):
    """Whatever has a shop behind its address."""

    @property
    def host(self) -> str: ...

    def url(self, path: str = "/") -> str: ...


class Visitor:
    """Asks again and again, on one kept-alive connection, and counts orders; notes whatever fails."""

    def __init__(self, shop: Shop, host: str = "") -> None:
        self._shop, self._host = shop, host or shop.host
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self.answers = 0
        self.orders: list[str] = []
        self.releases: set[str] = set()
        self.failures: list[str] = []
        # How long it took each time from the first failure to the next answer, in s.
        self.gaps: list[float] = []

    def __enter__(self) -> Visitor:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        went_on = self._thread.is_alive()
        self._stop.set()
        self._thread.join(timeout=60)
        assert went_on, "the visitor had stopped"

    def _visit(self) -> None:
        failing_since: float | None = None
        with httpx.Client(headers={"Host": self._host}, timeout=60, verify=NO_TLS) as client:
            while not self._stop.is_set():
                began = time.monotonic()
                well = self._ask_and_order(client)
                if well and failing_since is not None:
                    self.gaps.append(time.monotonic() - failing_since)
                    failing_since = None
                elif not well and failing_since is None:
                    failing_since = began
                time.sleep(PAUSE_S)

    def _ask_and_order(self, client: httpx.Client) -> bool:
        """Whether both requests were answered well."""
        order = f"{id(self)}-{time.monotonic_ns()}"
        try:
            welcome = client.get(self._shop.url("/"))
            counted = client.post(self._shop.url(f"/orders/{order}"))
        except httpx.HTTPError as error:
            self.failures.append(f"{error.request.method} {error.request.url}: {type(error).__name__} {error}")
            return False
        for answer in (welcome, counted):
            if not answer.is_success:
                self.failures.append(
                    f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:200]}"
                )
        if counted.is_success:
            self.orders.append(order)
        if welcome.is_success:
            self.releases.add(welcome.json()["release"])
        self.answers += 2
        return welcome.is_success and counted.is_success
