"""Whether a delivery comes from who knows the app's secret. Everything is compared in constant time.

GitHub signs the body with HMAC-SHA256 (`X-Hub-Signature-256`), Gitea and Forgejo as well (bare hexadecimal digits).
GitLab signs by Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`); older versions send a token.
A registry sends what its configuration says as `Authorization`.

Signatures are compared as they are written: no other spelling of the same bytes is accepted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.push_check import Forge

KEY_PREFIX = "whsec_"
"""Of a secret of Standard Webhooks; the rest is the key in base64."""
TOLERATED_S = 300.0
"""How far a signed time may be from ours (Standard Webhooks, "Verifying signatures")."""
MOST_SIGNATURES = 10
_HEADERS = {
    Forge.GITHUB: ("x-hub-signature-256", b"sha256="),
    Forge.GITEA: ("x-gitea-signature", b""),
    Forge.FORGEJO: ("x-forgejo-signature", b""),
}
STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass
class Signature:
    """What a delivery's body is compared with, while the body arrives. One without a digest was compared before."""

    _digest: hmac.HMAC | None
    _sent: tuple[bytes, ...] = ()
    _prefix: bytes = b""
    _in_base64: bool = False

    def update(self, part: bytes) -> None:
        if self._digest is not None:
            self._digest.update(part)

    def is_true(self) -> bool:
        """Whether the body that has arrived is the one that was signed."""
        if self._digest is None:
            return True
        digest = self._digest.digest()
        computed = self._prefix + (base64.b64encode(digest) if self._in_base64 else binascii.hexlify(digest))
        # All of them are compared, whichever it is.
        return any([hmac.compare_digest(computed, one) for one in self._sent])


def expected(forge: Forge, headers: Mapping[str, str], secret: str, now_s: float) -> Signature | None:
    """What a delivery with these headers must prove; None if they prove nothing already. `now_s`: seconds since 1970.

    `headers`: lower-case names; of a header that was sent twice, none.
    """
    if forge is Forge.REGISTRY:
        sent = headers.get("authorization", "")
        scheme, _, token = sent.partition(" ")
        return _compared(token if scheme.lower() == "bearer" else sent, secret)
    if forge is Forge.GITLAB:
        if any(name in headers for name in STANDARD):
            return _standard(headers, secret, now_s)
        return _compared(headers.get("x-gitlab-token", ""), secret)
    name, prefix = _HEADERS[forge]
    if not (signature := headers.get(name, "")):
        return None
    return Signature(hmac.new(secret.encode(), digestmod=hashlib.sha256), (_bytes(signature),), prefix)


def signing_key(secret: str) -> bytes:
    """The key of Standard Webhooks: what follows `whsec_` in base64; of any other secret, its bytes."""
    if secret.startswith(KEY_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(KEY_PREFIX), validate=True)
        except ValueError:  # binascii.Error is one; what is not ASCII raises another
            pass  # somebody's own secret that begins like one
    return secret.encode()


def _standard(headers: Mapping[str, str], secret: str, now_s: float) -> Signature | None:
    identifier, moment, signatures = (headers.get(name, "") for name in STANDARD)
    if not (identifier and signatures and re.fullmatch(r"[0-9]{1,12}", moment)):
        return None
    if abs(now_s - int(moment)) > TOLERATED_S:
        return None
    digest = hmac.new(signing_key(secret), digestmod=hashlib.sha256)
    digest.update(_bytes(identifier) + b"." + moment.encode() + b".")
    sent = tuple(_bytes(one) for one in signatures.split(" ")[:MOST_SIGNATURES])
    return Signature(digest, sent, b"v1,", _in_base64=True)


def _compared(sent: str, secret: str) -> Signature | None:
    """Digests are compared, so that the time says nothing of the length either."""
    ours, theirs = (hashlib.sha256(text).digest() for text in (secret.encode(), _bytes(sent)))
    return Signature(None) if hmac.compare_digest(ours, theirs) else None


def _bytes(header: str) -> bytes:
    """As it was sent: headers are read as Latin-1."""
    return header.encode("latin-1", errors="replace")
