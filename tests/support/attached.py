"""What docker-py gives for an `attach` or `exec`: the bare socket, with Docker's answer hung on it."""

from __future__ import annotations

import http.client
import socket
from typing import Any

import requests
import urllib3

HEAD = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def attached(ours: socket.socket, theirs: socket.socket) -> Any:
    """Of the two ends of a pair, ours; Docker's head is sent by theirs."""
    theirs.sendall(HEAD)
    answer = http.client.HTTPResponse(ours)
    answer.begin()
    response = requests.Response()
    response.raw = urllib3.HTTPResponse(answer, preload_content=False)
    connection: Any = answer.fp.raw
    connection._response = response
    ours.close()  # what was made of it is left
    return connection
