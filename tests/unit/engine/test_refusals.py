"""What Docker refuses is told in a sentence, with what to do."""

from __future__ import annotations

import errno
import os
from http.client import RemoteDisconnected

import pytest
from docker import DockerClient
from docker.errors import DockerException
from requests.exceptions import ConnectionError, ReadTimeout
from urllib3.exceptions import ProtocolError

from orchestrator.engine.docker.refusals import refused, unanswered
from orchestrator.errors import ContainerGone

OCI = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: "
)


@pytest.mark.parametrize(
    ("explanation", "cause", "remedy"),
    [
        (
            OCI + 'error during container init: exec: "nosuch": executable file not found in $PATH: unknown',
            'Docker refused: exec: "nosuch": executable file not found in $PATH.',
            "the image has no program 'nosuch' in its PATH",
        ),
        (
            OCI + 'exec: "./run.sh": permission denied: unknown',
            'Docker refused: exec: "./run.sh": permission denied.',
            "Make './run.sh' executable",
        ),
        (
            OCI + 'exec: "/app/run": stat /app/run: no such file or directory: unknown',
            'Docker refused: exec: "/app/run": stat /app/run: no such file or directory.',
            "the image has no file '/app/run'",
        ),
        (OCI + "exec /run.sh: exec format error", "Docker refused: exec /run.sh: exec format error.", "'#!'"),
        ("the image's user or group 0x0 is not in its /etc/passwd", "", "it has no '0x0'"),
        ("unable to find user web: no matching entries in passwd file", "", "it has no 'web'"),
        ("Minimum memory limit allowed is 6MB", "Docker refused: Minimum memory limit allowed is 6MB.", "run.memory"),
        ("network database not found", "", "docker network create database"),
        ("No such container: 4340e52b872f", "", "it is created again by itself"),
        ("conflict.", "Docker refused: conflict.", ""),
        ("odd {braces}", "Docker refused: odd {braces}.", ""),
    ],
)
def test_a_refusal_has_its_cause_and_its_remedy(explanation: str, cause: str, remedy: str) -> None:
    error = refused(explanation)

    assert error.cause == (cause or f"Docker refused: {explanation}.")
    assert remedy in error.remedy
    assert bool(error.remedy) == bool(remedy)


def test_a_container_that_was_removed_has_the_remedy_of_docker_and_of_ours() -> None:
    ours, of_docker = ContainerGone("shop-blue"), refused("No such container: shop-blue")

    assert ours.remedy == of_docker.remedy
    assert "Deploy the app again" not in ours.remedy


def _cut(error: OSError) -> ConnectionError:
    return ConnectionError(ProtocolError("Connection aborted.", error))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (_cut(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))), "its socket does not exist"),
        (_cut(ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))), "Connection reset by peer"),
        (_cut(RemoteDisconnected("Remote end closed connection without response")), "Remote end closed connection"),
        (ReadTimeout("UnixHTTPConnectionPool(host='localhost', port=None): Read timed out."), "no answer in time"),
        (DockerException("of another kind."), "of another kind."),
    ],
)
def test_an_engine_that_does_not_answer_is_told_without_names_of_classes(error: Exception, says: str) -> None:
    cause = unanswered(error).cause

    assert says in cause
    assert "Error(" not in cause
    assert cause.count(".") == 1


def test_an_engine_whose_socket_is_not_there_is_told_so() -> None:
    with pytest.raises(DockerException) as raised:
        DockerClient("unix:///nowhere/docker.sock").ping()

    assert unanswered(raised.value).cause == "Docker Engine does not answer: its socket does not exist."
