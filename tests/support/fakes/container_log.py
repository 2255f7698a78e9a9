"""A container whose log Docker gives, as docker-py hands it out."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class _Raw(io.BytesIO):
    """The body of Docker's answer, which nobody has to end."""

    @property
    def _fp(self) -> Any:  # Any: docker-py reaches for the socket behind it
        nothing = lambda *_: None  # noqa: E731
        return SimpleNamespace(fp=SimpleNamespace(_sock=SimpleNamespace(shutdown=nothing, close=nothing)))


def with_log(  # Any: the part of a container that is used
    body: bytes, answers: Callable[[], object] = lambda: None, **attributes: object
) -> Any:
    """A container without a terminal whose log is this answer of Docker. `answers` returns when Docker answers."""

    def get(*_arguments: object, **_options: object) -> SimpleNamespace:
        answers()
        return SimpleNamespace(raw=_Raw(body))

    api = SimpleNamespace(
        _url="{}{}".format,
        _get=get,
        _raise_for_status=lambda _: None,
        _get_raw_response_socket=lambda _: None,
        _disable_socket_timeout=lambda _: None,
    )
    return SimpleNamespace(id="1", client=SimpleNamespace(api=api), attrs={"Config": {"Tty": False}}, **attributes)


def frames(*pieces: tuple[int, str]) -> bytes:
    """Docker's answer with these pieces, each with the stream that it was written to."""
    return b"".join(struct.pack(">BxxxL", stream, len(text.encode())) + text.encode() for stream, text in pieces)
