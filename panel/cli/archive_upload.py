"""Sends an archive, which is read while it is sent: it may be larger than the memory."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from typing import BinaryIO

from panel.client.client import Client
from panel.client.deployment_requests import UploadedArchive
from panel.client.errors import Invalid

PIECE = 256 * 2**10
STANDARD_INPUT = "-"
_MAKE_ONE = "Name a tar archive: tar --create --gzip --file app.tar.gz --directory FOLDER ."


async def upload(client: Client, app: str, file: str) -> UploadedArchive:
    """Send the archive in this file, or of the standard input (`-`).

    Raises Invalid if it cannot be read, and ClientError as `Client.upload` does.
    """
    if file == STANDARD_INPUT:
        if sys.stdin.isatty():
            raise Invalid("The standard input is a terminal, and no archive.", _MAKE_ONE)
        return await client.upload(app, _pieces(sys.stdin.buffer), None)
    try:
        with await asyncio.to_thread(open, file, "rb") as content:
            about = os.fstat(content.fileno())
            return await client.upload(app, _pieces(content), about.st_size if stat.S_ISREG(about.st_mode) else None)
    except OSError as error:
        raise Invalid(f"The archive {file} cannot be read: {error.strerror}.", _MAKE_ONE) from error


async def _pieces(content: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(content.read, PIECE):
        yield piece
