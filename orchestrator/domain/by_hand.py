"""Releases that are not of an app's source: an image or an archive that a person or a CI job names or brings.

What was requested stands in `Deployment.ref`, and what was deployed in `Release.source_revision`; both begin with the
kind. No branch, tag or commit of Git can (git-check-ref-format(1)), nor a version or a digest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.domain.image_name import DIGEST, TAG, ImageName, image_name, why_no_image

IMAGE, ARCHIVE = "image:", "archive:"
MOST_OF_IMAGE = 190
"""Characters: it is recorded with its kind as what was requested, which has 200."""
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
"""What may be given as the version of an archive."""
UPLOAD = re.compile(r"[0-9a-f]{16}")
"""The name of an archive that was uploaded and is not deployed yet."""
SHOWN_DIGITS = 12


@dataclass(frozen=True)
class NamedImage:
    """An image as docker names it: `registry/name:tag`, `name@sha256:…`, or the id of one that the engine has.

    `name` is empty for an id. `reference` is what it has behind its name: a digest, or a tag.
    """

    given: str
    name: str
    tag: str
    digest: str

    @property
    def reference(self) -> str:
        return self.digest or self.tag

    @property
    def in_registry(self) -> ImageName:
        """For one with a name."""
        return image_name(self.name)

    @property
    def names_registry(self) -> bool:
        """Whether the name says in which registry it is. Of others the engine may have one of its own."""
        return "/" in self.name and image_name(self.name).host == self.name.partition("/")[0]


@dataclass(frozen=True)
class UploadedArchive:
    """An archive by the name that its upload got. `version` is empty if none was given."""

    upload: str
    version: str = ""


def named_image(text: str) -> NamedImage:
    """For texts that `why_no_image_reference` has nothing against."""
    if DIGEST.fullmatch(text):
        return NamedImage(text, "", "", text)
    named, _, digest = text.partition("@")
    name, colon, tag = named.rpartition(":")
    if not colon or "/" in tag:
        name, colon, tag = named, "", ""
    return NamedImage(text, name, tag if tag or digest or colon else "latest", digest)


def why_no_image_reference(text: str) -> str:
    """Why this does not name an image; empty if it does."""
    if len(text) > MOST_OF_IMAGE:
        return f"it has more than {MOST_OF_IMAGE} characters"
    one = named_image(text)
    if not one.name and not DIGEST.fullmatch(text):
        return "it has no name"
    if "@" in text and not DIGEST.fullmatch(one.digest):
        return "behind the @ stands sha256: and 64 hexadecimal digits"
    if not (TAG.fullmatch(one.tag) if one.tag else one.digest):
        return "a tag has letters, digits and the characters . _ -"
    return why_no_image(one.name) if one.name else ""


def requested(ref: str) -> NamedImage | UploadedArchive | None:
    """What the `ref` of a deployment or the source revision of a release names; None if it is of the app's source."""
    if ref.startswith(IMAGE):
        return named_image(ref.removeprefix(IMAGE))
    if ref.startswith(ARCHIVE):
        upload, _, version = ref.removeprefix(ARCHIVE).partition(":")
        return UploadedArchive(upload, version)
    return None


def is_by_hand(source_revision: str) -> bool:
    """Whether a release is none of the app's source."""
    return source_revision.startswith((IMAGE, ARCHIVE))


def engine_image(source_revision: str) -> str:
    """The id of the image that a release is, if the engine has it by itself, and no registry; otherwise empty."""
    image = source_revision.removeprefix(IMAGE) if source_revision.startswith(IMAGE) else ""
    return image if DIGEST.fullmatch(image) else ""


def digits_of(source_revision: str) -> str:
    """The digits of the digest in a source revision, of whatever kind it is; the whole one if it has none."""
    return source_revision.rpartition("sha256:")[2]
