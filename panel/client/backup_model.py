"""What a backup has for people, as values."""

from __future__ import annotations

from panel.client.value import Value


class ExtractedFile(Value):
    name: str
    text: str


class Extract(Value):
    """The files of one part of a backup."""

    files: tuple[ExtractedFile, ...]


class ConfigurationDifference(Value):
    """How an app's section of the configuration file differs from that of a backup; `refused` says why it cannot be
    put back. `digest` is that of the file that was compared."""

    lines: tuple[str, ...]
    refused: str
    digest: str


class DeletedBackup(Value):
    app: str
    backup: str


class PutBack(Value):
    """The digest of the configuration file after a section was put back."""

    digest: str
