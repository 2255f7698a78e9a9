"""What a backup has for people, as values."""

from __future__ import annotations

from panel.client.value import Value


class ExtractedFile(Value):
    name: str
    text: str


class Extract(Value):
    """The files of one part of a backup."""

    files: tuple[ExtractedFile, ...]
