"""Repetition of what the proxy may refuse for a moment."""

from __future__ import annotations

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential

from orchestrator.errors import ProxyError


def retrying(deadline_s: float) -> AsyncRetrying:
    """Attempts with growing pauses until one raises no ProxyError, for `deadline_s` seconds. Raises the last error."""
    return AsyncRetrying(
        retry=retry_if_exception_type(ProxyError),
        stop=stop_after_delay(deadline_s),
        wait=wait_exponential(multiplier=0.05, max=0.5),
        reraise=True,
    )
