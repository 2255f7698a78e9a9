"""The level of a line, by how programs write it."""

from __future__ import annotations

import pytest

from orchestrator.domain.log_line import Level, LogLine
from orchestrator.logs.level import Levels, level_of

DEBUG, INFO, WARNING, ERROR, CRITICAL = Level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ('{"level":"error","msg":"no such order"}', ERROR),
        ('{"time": 1, "level": 40, "msg": "pino"}', WARNING),
        ('{"severity": "NOTICE", "message": "Google"}', INFO),
        ('{"message": "the level is high"}', None),
        ("time=2026-11-28T08:00:00Z level=warn msg=slow", WARNING),
        ('level="debug" msg="logfmt"', DEBUG),
        ('INFO:     127.0.0.1:5 - "GET / HTTP/1.1" 500 Internal Server Error', INFO),
        ("ERROR:    Exception in ASGI application", ERROR),
        ("WARNING:root:of Python", WARNING),
        ("2026-11-28 08:22:03,123 - shop.orders - ERROR - no such order", ERROR),
        ("2026-11-28 08:22:03.123  WARN 1 --- [main] c.e.Shop : Spring", WARNING),
        ("2026/11/28 08:22:03 [error] 31#31: *1 open() failed", ERROR),
        ("[2026-11-28 08:22:03 +0000] [1] [INFO] Listening", INFO),
        ("[2026-11-28T08:22:03Z ERROR shop] of Rust", ERROR),
        ("E1128 08:22:03.123456 1 main.go:12] klog", ERROR),
        ("2026-11-28 08:22:03.123 UTC [1] FATAL:  the database system is starting up", CRITICAL),
        ("2026-11-28 08:22:03.123 UTC [1] LOG:  checkpoint", INFO),
        ("1:M 28 Nov 2026 08:22:03.123 # Redis is tired", WARNING),
        ("<3>of syslog", ERROR),
        ('10.0.0.1 - - [28/Nov/2026:08:22:03 +0000] "GET / HTTP/1.1" 502 157 "-" "curl"', ERROR),
        ('10.0.0.1 - - [28/Nov/2026:08:22:03 +0000] "GET / HTTP/1.1" 404 157 "-" "curl"', WARNING),
        ("TypeError: x is not a function", ERROR),
        ("panic: runtime error", CRITICAL),
        ("error: cannot open the file", ERROR),
        ("The user pressed the ERROR button", None),
        ("information about errors", None),
        ("hello", None),
        ("", None),
    ],
)
def test_a_line_tells_its_level(text: str, level: Level | None) -> None:
    assert level_of(text) is level


def test_a_line_that_goes_on_with_the_one_before_has_its_level_whatever_the_other_stream_says_meanwhile() -> None:
    levels = Levels()
    written = [
        ("ERROR:    Exception in ASGI application", True, ERROR),
        ("Traceback (most recent call last):", True, ERROR),
        ("INFO:     started", False, INFO),
        ('  File "shop.py", line 3, in order', True, ERROR),
        ("ValueError: no such order", True, ERROR),
        ("hello", True, None),
        ("  indented", True, None),
        ("Traceback (most recent call last):", True, ERROR),
        ("", True, ERROR),
        ("KeyError: 'b'", True, ERROR),
        ("  of it", False, INFO),
    ]

    assert [levels.of(LogLine("", text, stream)) for text, stream, _ in written] == [level for *_, level in written]


def test_a_very_long_line_takes_no_longer_than_another() -> None:
    assert level_of("x " * 10**6 + "ERROR") is None
    assert level_of("[" * 10**6) is None
