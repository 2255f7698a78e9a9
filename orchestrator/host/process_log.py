"""The log of this process: without secrets, control characters and the values of local variables."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

from border.plain import one_line
from border.secrets import Secrets

TRACE = "exception"
"""The field of a log entry that has a traceback: the only one of several lines."""


def write_to(stream: TextIO, known_secrets: Secrets) -> None:
    """Write this process's log to a stream: structlog's, that of the standard library, and errors that nobody caught.

    Tracebacks have no local variables: structlog's own do, where rich is installed. `uvicorn` must be started with
    `log_config=None`, because it sets up a log of its own otherwise.
    """

    def clean(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: _clean(name, value, known_secrets) for name, value in entry.items()}

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=True),
            structlog.processors.format_exc_info,
            clean,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter(known_secrets))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _catch_the_rest(stream, known_secrets)


class _Formatter(logging.Formatter):
    """As the standard one; the whole entry, traceback included, is cleaned."""

    def __init__(self, known_secrets: Secrets) -> None:
        super().__init__("%(asctime)s [%(levelname)s] %(name)s: %(message)s")
        self._known_secrets = known_secrets

    def format(self, record: logging.LogRecord) -> str:
        return self._known_secrets.text(super().format(record))


def _clean(name: str, value: Any, known_secrets: Secrets) -> Any:  # Any: whatever is logged
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = known_secrets.text(value if isinstance(value, str) else str(value))
    return text if name == TRACE else one_line(text)


def _catch_the_rest(stream: TextIO, known_secrets: Secrets) -> None:
    def tell(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        stream.write(known_secrets.text("".join(traceback.format_exception(kind, error, trace))))
        stream.flush()

    sys.excepthook = tell
    threading.excepthook = lambda said: tell(said.exc_type, said.exc_value, said.exc_traceback)
    sys.unraisablehook = lambda said: tell(said.exc_type, said.exc_value, said.exc_traceback)
