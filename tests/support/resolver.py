"""A resolver of a stranger, in the place of `socket.getaddrinfo`."""

from __future__ import annotations

import socket
from typing import Any


class Names:
    """Each look at a name (its dots written as `_`) gives its next addresses, the last ones again and again. Several
    stand in one text; an empty one: the name is not known."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = {name.replace("_", "."): list(found) for name, found in addresses.items()}

    def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        found = self.addresses.get(host if isinstance(host, str) else host.decode(), [str(host)])
        addresses = (found.pop(0) if len(found) > 1 else found[0]).split()
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]
