"""Calls of the Docker SDK, which blocks: each in a thread, short ones never behind long ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import docker
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from orchestrator.engine.docker.refusals import refused_by, unanswered
from orchestrator.host.uninterrupted import to_its_end

API_TIMEOUT_S = 120
SHORT_CALLS, ENDS, LONG_CALLS = 8, 16, 8
"""Threads for calls that Docker answers at once, for containers that end, which may take seconds while requests wait
for it, and for what may take minutes. None of them waits behind one of another kind."""
T = TypeVar("T")
_ERRORS = (DockerException, RequestException)


class Calls:
    """What DockerEngine calls Docker with. Every method raises EngineError with Docker's error."""

    def __init__(self) -> None:
        self._client: docker.DockerClient | None = None
        # Of their own: what takes long elsewhere, such as removing a folder, keeps none of these waiting.
        self._short_calls = ThreadPoolExecutor(SHORT_CALLS, thread_name_prefix="docker")
        self._ends = ThreadPoolExecutor(ENDS, thread_name_prefix="docker-end")
        self._long_calls = ThreadPoolExecutor(LONG_CALLS, thread_name_prefix="docker-long")

    async def _call(self, ask: Callable[[docker.DockerClient], T], threads: ThreadPoolExecutor | None = None) -> T:
        """A short call, or one of these threads. A thread cannot be cancelled: whoever cancels waits for its end."""
        pool = threads or self._short_calls
        return await to_its_end(asyncio.get_running_loop().run_in_executor(pool, self._ask, ask))

    async def _call_alone(self, ask: Callable[[docker.DockerClient], T]) -> T:
        """A call that may take for ever, in a thread of its own."""
        with ThreadPoolExecutor(1, thread_name_prefix="docker-alone") as thread:
            return await to_its_end(asyncio.get_running_loop().run_in_executor(thread, self._ask, ask))

    def _ask(self, ask: Callable[[docker.DockerClient], T]) -> T:
        try:
            if self._client is None:
                self._client = docker.from_env(timeout=API_TIMEOUT_S)
            return ask(self._client)
        except APIError as error:
            raise refused_by(error) from error
        except _ERRORS as error:
            raise unanswered(error) from error
