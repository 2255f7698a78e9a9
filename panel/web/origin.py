"""Whether a request was sent by a page of the panel itself: asked of each that changes something or opens a socket.

A browser says where a request comes from in `Origin` (RFC 6454) and, at HTTPS addresses and those of this machine, in
`Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/), which no script can set. Clients that are not browsers send
neither, and are accepted: they have no cookie that a person did not give them.
"""

from __future__ import annotations

from starlette.datastructures import Headers

from panel.web.cookie import is_https

OF_THIS_SITE = frozenset({"same-origin", "none"})
"""`none`: a person typed the address, or opened a bookmark. Not `same-site`: other hosts of a domain are others'."""


def is_same_origin(headers: Headers) -> bool:
    """Whether scheme, host and port are those of the panel.

    The proxy knows the scheme `https` for certain. `http` is what it sees behind somebody's own TLS server, too: there
    `Sec-Fetch-Site` decides, which compares the schemes, and has to be there.
    """
    sites = {one.strip().lower() for one in headers.getlist("sec-fetch-site")}
    if not sites <= OF_THIS_SITE:
        return False
    origins, host = headers.getlist("origin"), headers.get("host")
    if not origins:
        return True
    schemes = ["https"] if is_https(headers) else ["http", "https"] if sites else ["http"]
    return all(one in [f"{scheme}://{host}" for scheme in schemes] for one in origins)
