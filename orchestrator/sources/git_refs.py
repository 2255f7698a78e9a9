"""The branches and tags of a Git server, asked over HTTP without a process (gitprotocol-v2(5), "ls-refs").

It is the short way to learn that nothing changed. Whatever is not understood is asked by git itself, which says why.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from orchestrator.host.bounded_answer import no_cookies
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.host.web_address import why_no_address
from orchestrator.sources.certificates import authorities
from orchestrator.sources.git_names import DEFAULT_BRANCH

BRANCHES, TAGS, HEAD = "refs/heads/", "refs/tags/", "HEAD"
MIRRORED = "refs/remotes/origin/"
"""Where a mirror keeps the remote's branches."""
MOST_BYTES = 16 * 2**20
WITHIN_S = 10.0
_KIND = "application/x-git-upload-pack"
_FOR_NOW = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS)
"""A token is renewed, and a limit ends."""
_FLUSH, _DELIMITER = b"0000", b"0001"
_LENGTH = 4
"""Characters of the length in front of each line (gitprotocol-common(5), "pkt-line Format")."""


class _NotUnderstood(Exception):
    """The server does not speak the second version of the protocol at this address, or wants something else first."""


@dataclass
class GitRefs:
    """Asks one remote. A server that was not understood once is not asked again. Used on the event loop."""

    remote: str
    transport: httpx.AsyncBaseTransport | None = None
    _is_understood: bool = field(default=True, init=False)

    @property
    def may_ask(self) -> bool:
        if not self._is_understood or why_no_address(self.remote):  # git says what is wrong with it
            return False
        address = urlsplit(self.remote)
        return address.scheme in ("http", "https") and "@" not in address.netloc

    async def ask(self, headers: Mapping[str, str]) -> dict[str, str] | None:
        """The object that each branch, each tag and HEAD names; None if the server does not say it. `headers` let the
        caller in. No redirect is followed."""
        try:
            async with asyncio.timeout(WITHIN_S):
                answer = await self._answer(headers)
                return await to_its_end(asyncio.to_thread(lambda: dict(_refs(answer))))  # megabytes of a stranger
        except _NotUnderstood:
            self._is_understood = False
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            pass  # git asks as well, and says why it has no answer
        return None

    async def _answer(self, headers: Mapping[str, str]) -> bytes:
        sent = {
            "git-protocol": "version=2",
            "content-type": f"{_KIND}-request",
            "accept": f"{_KIND}-result",
            "accept-encoding": "identity",
            **headers,
        }
        url, found = f"{self.remote.rstrip('/')}/git-upload-pack", bytearray()
        async with (
            httpx.AsyncClient(
                transport=self.transport, timeout=WITHIN_S, cookies=no_cookies(), verify=authorities()
            ) as client,
            client.stream("POST", url, content=_QUESTION, headers=sent) as answer,
        ):
            if answer.status_code in _FOR_NOW or answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                raise httpx.RemoteProtocolError(f"status {answer.status_code}")
            kind, coding = answer.headers.get("content-type", ""), answer.headers.get("content-encoding", "identity")
            if answer.status_code != httpx.codes.OK or kind != sent["accept"] or coding != "identity":
                raise _NotUnderstood
            async for chunk in answer.aiter_raw():
                found += chunk
                if len(found) > MOST_BYTES:
                    raise _NotUnderstood
        return bytes(found)


def digest(refs: Mapping[str, str], wanted: tuple[str, ...] = ()) -> str:
    """Of all branches and tags with what they name, and of what is `wanted` besides."""
    kept = sorted(f"{name} {found}" for name, found in refs.items() if name != HEAD or HEAD in wanted)
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def refs_in_mirror(listed: str) -> dict[str, str]:
    """The lines `name object` of a mirror, by the names that they have at the remote."""
    found = {}
    for line in listed.splitlines():
        name, _, named = line.rpartition(" ")
        if name.startswith(MIRRORED):
            found[f"{BRANCHES}{name.removeprefix(MIRRORED)}"] = named
        elif name.startswith(TAGS):
            found[name] = named
        elif name == DEFAULT_BRANCH:
            found[HEAD] = named
    return found


def _line(text: str) -> bytes:
    return f"{len(text) + _LENGTH:04x}{text}".encode()


_QUESTION = b"".join(
    (
        _line("command=ls-refs\n"),
        _DELIMITER,
        *(_line(f"ref-prefix {prefix}\n") for prefix in (BRANCHES, TAGS, HEAD)),
        _FLUSH,
    )
)


def _refs(answer: bytes) -> Iterable[tuple[str, str]]:
    """Name and object of each line. Raises _NotUnderstood."""
    at = 0
    while answer[at : at + _LENGTH] != _FLUSH:
        try:
            length = int(answer[at : at + _LENGTH], 16)
            text = answer[at + _LENGTH : at + length].decode()
        except ValueError as error:
            raise _NotUnderstood from error
        named = text.rstrip("\n").split(" ")
        if length <= _LENGTH or at + length > len(answer) or len(named) < 2 or len(named[0]) not in (40, 64):
            raise _NotUnderstood
        if named[1] == HEAD or named[1].startswith((BRANCHES, TAGS)):
            yield named[1], named[0]
        at += length
    if at + _LENGTH != len(answer):
        raise _NotUnderstood
