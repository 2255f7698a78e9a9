"""The error of a body that was not taken as it arrived."""

from __future__ import annotations

from orchestrator.errors import ChangeoverError


class NotReceived(ChangeoverError):
    """The body was too long, too slow, cut or empty. `status`: of the answer."""

    def __init__(self, status: int, cause: str, remedy: str = "") -> None:
        super().__init__(cause, remedy)
        self.status = status
