"""Where the release of a deployment comes from: the app's source, or what a person or a CI job brought by hand."""

from __future__ import annotations

from orchestrator.apps.context import AppContext
from orchestrator.deploy.image_by_hand import ImageByHand
from orchestrator.domain.by_hand import NamedImage, UploadedArchive, requested
from orchestrator.sources.base import Source
from orchestrator.sources.uploaded_archive import ArchivedByHand


def source_of(context: AppContext, wanted: str) -> Source:
    """The source of what a deployment names: its `ref`, or the source revision of its release."""
    match requested(wanted):
        case NamedImage() as image:
            return ImageByHand(context, image)
        case UploadedArchive() as archive:
            return ArchivedByHand(context.name, archive, context.uploads)
        case _:
            return context.source
