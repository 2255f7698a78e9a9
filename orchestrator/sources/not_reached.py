"""Why a server was not reached, in plain words. git, curl, OpenSSL, GnuTLS and httpx each have words of their own."""

from __future__ import annotations

import re

ANOTHER_AUTHORITY = (
    "Compare the address with the one that the server's owner names. For an authority of your own, see "
    "docs/panel-sources.md, Certificates of a private authority."
)
LOOK = "Check the address, and that this host reaches it."

_WORDS: tuple[tuple[str, str, str], ...] = (
    (
        r"could not resolve (?:host|proxy)|name or service not known|no address associated|name does not resolve"
        r"|nodename nor servname|unable to look up",
        "no server has the name in its address",
        "Check how the name is written, and that this host's DNS knows it.",
    ),
    (
        r"temporary failure in name resolution|try again",
        "the name in its address cannot be looked up now",
        "Check this host's DNS (/etc/resolv.conf).",
    ),
    (
        r"certificate (?:verif\w{1,20} failed: certificate )?has expired|certificate is not yet valid",
        "the certificate of the server is not valid at this time",
        "Renew the server's certificate, or correct the clock of this host.",
    ),
    (
        r"(?:host ?name|ip address) mismatch|does not match (?:target )?host|no alternative certificate subject name"
        r"|certificate (?:common name|is not valid for)",
        "the certificate of the server is for another name",
        "Write the name that the certificate has into the address, or give the server a certificate for this one.",
    ),
    (
        r"problem with the ssl ca cert|error setting certificate",
        "the file of certificate authorities that SSL_CERT_FILE names cannot be read",
        "Correct SSL_CERT_FILE in compose.override.yaml, then run make up.",
    ),
    (
        r"certificate.?verif\w{1,20}.?failed|ssl certificate problem|self.signed certificate|local issuer certificate"
        r"|signer not (?:found|trusted)|server verification failed",
        "the certificate of the server is of no authority that is accepted here",
        ANOTHER_AUTHORITY,
    ),
    (
        r"wrong.version.number|unexpected tls packet|record.layer|http.request|unknown protocol|plain http request",
        "the server does not answer with encryption (https) at this port",
        "Correct the port, or give the server a certificate.",
    ),
    (
        r"failed to connect|couldn't connect|connection refused|all connection attempts failed|unable to connect"
        r"|no route to host|network is unreachable",
        "nothing answers at its address and port",
        "",
    ),
    (
        r"timed out|timeout was reached|(?:read|connect|write|pool)timeout|operation too slow",
        "the server does not answer in time",
        "",
    ),
    (
        r"connection (?:was )?reset|unexpected disconnect|early eof|hung up|rpc failed|empty reply|server disconnected"
        r"|peer closed|transfer closed|broken pipe|eof occurred|(?:read|write)error",
        "the server ended the connection before everything had arrived",
        "",
    ),
)
_PLAIN = tuple((re.compile(pattern, re.IGNORECASE), cause, remedy) for pattern, cause, remedy in _WORDS)


def why_not_reached(said: str) -> tuple[str, str] | None:
    """The cause, as the end of a sentence about an address, and what to do; nothing to do beside looking at the address
    is empty. None for what is no failure of a connection."""
    return next(((cause, remedy) for pattern, cause, remedy in _PLAIN if pattern.search(said)), None)
