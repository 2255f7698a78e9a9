"""Signatures of archives by minisign: who has the key made exactly this archive, as this version."""

from __future__ import annotations

from pathlib import Path

from border.plain import plain
from orchestrator.config.secret_file import SecretUnreadable, read_secret
from orchestrator.errors import StepFailed

_SET = "Set update.url.public_key to the .pub file that minisign -G wrote."


def refuse_unsigned(packed: Path, version: str, signature: str, folder: Path, key_file: str) -> None:
    """Raises StepFailed unless the signature is by this public key, of this archive and of this version. `folder` is
    the configuration file's.

    The version is in the signature's trusted comment: else an old archive could be offered as a new one.
    """
    # They take 8 MB, which only those need who have such a key.
    from minisign import Error, PublicKey, Signature  # type: ignore[import-untyped]

    sign = f"Sign it with: minisign -S -m ARCHIVE -t 'version:{version}'"
    try:
        public = PublicKey.from_bytes(read_secret(folder, key_file, is_secret=False).encode())
    except SecretUnreadable as error:
        raise StepFailed(error.cause, _SET) from error
    except Error as error:
        raise StepFailed(f"The file {key_file} is no public key of minisign: {plain(str(error))}.", _SET) from error
    try:
        found = Signature.from_bytes(signature.encode())
        if not found.is_prehashed():
            raise StepFailed(f"The signature of version {version} is of a kind that minisign makes no more.", sign)
        public.verify_file(packed, found)
    except Error as error:
        raise StepFailed(
            f"The archive of version {version} is not signed by the key {key_file}: {plain(str(error))}.",
            f"Nothing of it is used. {sign}",
        ) from error
    if f"version:{version}" not in found.trusted_comment.split():
        comment = plain(found.trusted_comment)[:100]
        raise StepFailed(
            f"The signature is not for version {version}: its trusted comment is '{comment}'.",
            f"Nothing of it is used. {sign}",
        )
