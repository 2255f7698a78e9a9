"""Signatures of images by cosign (https://github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md): who has the key has
signed exactly this digest.

Verified here and not by cosign, whose program is 70 MB for what is one call of a library that is there already. It is
what `cosign verify --key KEY --insecure-ignore-tlog` verifies: nothing is asked of a public log, so that it works
without the internet.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from border.plain import plain
from orchestrator.config.secret_file import SecretUnreadable, read_secret
from orchestrator.errors import StepFailed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

KEY = "update.registry.cosign_key"
PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
"""The media type of what is signed; each signature is a layer of a manifest."""
SIGNATURE = "dev.cosignproject.cosign/signature"
"""The annotation of such a layer that has the signature, in base64."""
MOST_SIGNATURES = 50
_TYPE = "cosign container image signature"
_SIGN = "Sign it with: cosign sign --key KEY --tlog-upload=false"


@dataclass(frozen=True)
class Signature:
    """`payload`: the JSON that was signed. `signature`: in base64."""

    payload: bytes
    signature: str


def tag_of(digest: str) -> str:
    """The tag of the manifest that has the signatures of a digest."""
    return f"{digest.replace(':', '-')}.sig"


def read_key(folder: Path, file: str) -> str:
    """The public key. `folder` is the configuration file's. Raises StepFailed for a file that cannot be read or is no
    public key that cosign makes."""
    try:
        text = read_secret(folder, file)
    except SecretUnreadable as error:
        says = str(error).replace("The secret file", "The public key", 1)
        raise StepFailed(says, f"Set {KEY} to the .pub file that cosign generate-key-pair wrote.") from error
    _public_key(text, file)
    return text


def refuse_unsigned(
    image: str, reference: str, digest: str, signatures: Iterable[Signature], key: str, key_file: str
) -> None:
    """Raises StepFailed unless one of the signatures is by this public key and of this digest. `reference`: what was
    asked for, a tag or the digest."""
    shown = f"{image}{'@' if reference == digest else ':'}{reference}"
    public, found = _public_key(key, key_file), tuple(signatures)
    by_key = [one for one in found if _is_by(public, one)]
    if any(_signed_digest(one.payload) == digest for one in by_key):
        return
    if by_key:
        why = f"its signature by the key {key_file} is of something else"
    elif found:
        why = f"none of its signatures is by the key {key_file}"
    else:
        why = "it has no signature in its registry"
    raise StepFailed(f"{shown} is not used: {why}.", f"{_SIGN} {image}@{digest}. docs/registry.md says more.")


def _public_key(text: str, file: str) -> EllipticCurvePublicKey:
    # They take 8 MB, which only those need who have such a key.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PRIVATE KEY" in text:
        raise StepFailed(
            f"{file} is a private key, which signs: it does not belong on this host.",
            f"Remove it from here, and set {KEY} to the public key: cosign public-key --key KEY > cosign.pub",
        )
    try:
        found = load_pem_public_key(text.encode())
        if not isinstance(found, EllipticCurvePublicKey):
            raise ValueError("it is none of ECDSA, which cosign makes")
        return found
    except (ValueError, UnsupportedAlgorithm) as error:
        why = plain(str(error)).partition(".")[0][:200]
        raise StepFailed(
            f"{file} is no public key of cosign: {why}.",
            f"Set {KEY} to the .pub file that cosign generate-key-pair wrote.",
        ) from error


def _is_by(public: EllipticCurvePublicKey, one: Signature) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        public.verify(base64.b64decode(one.signature, validate=True), one.payload, ECDSA(SHA256()))
        return True
    except (InvalidSignature, binascii.Error, ValueError):  # ValueError: it has characters beyond ASCII
        return False


def _signed_digest(payload: bytes) -> str:
    """The digest that a signature is of; empty if it is of something else, such as an attestation."""
    try:
        critical = json.loads(payload)["critical"]
        return str(critical["image"]["docker-manifest-digest"]) if critical["type"] == _TYPE else ""
    except (ValueError, RecursionError, LookupError, TypeError):
        return ""
