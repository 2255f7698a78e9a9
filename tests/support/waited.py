"""What docker-py has for whoever waits for the end of a container."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class Waited:
    """Of a container that stands in for Docker's one: its client, that client's `api`, and the answer, which comes when
    `wait` returns."""

    @property
    def client(self) -> Any:
        return SimpleNamespace(api=self)

    removed = False

    def remove(self, *, force: bool, v: bool) -> None:
        """Its anonymous volumes, too."""
        self.removed = force and v

    def wait(self) -> None:
        """Until the container has ended, or the connection breaks."""

    def json(self) -> dict[str, int]:
        self.wait()
        return {"StatusCode": 0}

    def close(self) -> None: ...

    def _url(self, path: str, *arguments: str) -> str:
        return path.format(*arguments)

    def _post(self, _url: str, **_options: Any) -> Any:
        return self

    def _raise_for_status(self, _answer: Any) -> None: ...
