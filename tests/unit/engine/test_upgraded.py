"""A connection that Docker has taken over from HTTP is closed whole."""

from __future__ import annotations

import socket

from orchestrator.engine.docker.upgraded import Upgraded
from tests.support.attached import attached
from tests.unit.engine.test_sidecar_bytes import framed


def test_the_answer_that_the_connection_came_from_is_closed_with_it() -> None:
    """Thrown away unclosed, each printed a traceback in the orchestrator's log, in Python 3.13."""
    ours, theirs = socket.socketpair()
    with theirs:
        docker = attached(ours, theirs)
        answer = docker._response.raw._fp
        connection = Upgraded(docker)
        theirs.sendall(framed(1, b"hello\n"))
        assert next(connection.frames()) == (1, b"hello\n")

        connection.close()

        assert answer.isclosed()
        assert docker.closed
        assert theirs.recv(1) == b""
