"""The authorities whose certificates are accepted from servers that releases come from: those of the machine."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

import httpx


def authorities() -> ssl.SSLContext:
    """The machine's own, read again when SSL_CERT_FILE or SSL_CERT_DIR names others, or the file was changed.

    Reading them takes 60 ms of a processor, more than everything else of a request that finds nothing changed.
    """
    file, folder = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    return _authorities(file, folder, _changed_at(file), _changed_at(folder))


@lru_cache(maxsize=1)
def _authorities(_file: str, _folder: str, *_changed_at: int) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
