"""The authorities whose certificates are accepted from servers that releases come from: those of the machine."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

import httpx

from orchestrator.errors import StepFailed


def authorities() -> ssl.SSLContext:
    """The machine's own, read again when SSL_CERT_FILE or SSL_CERT_DIR names others, or the file was changed.

    Reading them takes 60 ms of a processor, more than everything else of a request that finds nothing changed.
    """
    file, folder = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    return _authorities(file, folder, _changed_at(file), _changed_at(folder))


@lru_cache(maxsize=1)
def _authorities(file: str, _folder: str, *_changed_at: int) -> ssl.SSLContext:
    """Raises StepFailed for a file that is not there or has no certificate: a typing error in compose.override.yaml."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        why = "it has no certificate" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
        raise StepFailed(
            f"The file {file} of certificate authorities, which SSL_CERT_FILE names, cannot be used: {why}.",
            "Correct SSL_CERT_FILE in compose.override.yaml, then run make up. The folder of the configuration file is "
            "/source there.",
        ) from error


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
