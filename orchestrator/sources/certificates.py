"""The authorities whose certificates are accepted from servers that releases come from: those of the machine."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

from orchestrator.errors import StepFailed


def authorities() -> ssl.SSLContext:
    """The machine's own, or those that SSL_CERT_FILE or SSL_CERT_DIR names, read again when they were changed.

    Reading them takes 60 ms of a processor, more than everything else of a request that finds nothing changed.
    """
    file, folder = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    return _authorities(file, folder, _changed_at(file), _changed_at(folder))


@lru_cache(maxsize=1)
def _authorities(file: str, folder: str, *_changed_at: int) -> ssl.SSLContext:
    """Raises StepFailed for a file that is not there or has no certificate: a typing error in compose.override.yaml."""
    try:
        found = ssl.create_default_context(cafile=file or None, capath=folder or None)
        # Python 3.13 refuses authorities that lack an extension of RFC 5280, as those do that `openssl req -x509` made
        # for years. git and the Docker engine accept them (docs.python.org, ssl.create_default_context).
        found.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return found
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
