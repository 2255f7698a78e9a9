"""Step 2: the exact revision from the source, in a folder of its own."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace

from orchestrator.model import Deployment
from orchestrator.site import Site


async def source(site: Site, deployment: Deployment) -> Deployment:
    revision = await site.repository.newest(deployment.ref)
    site.say(deployment.id, f"{await site.repository.origin()} at {revision.release.version}")
    before = site.journal.deployment(deployment.previous).release if deployment.previous else None
    changes = await site.repository.changes(before.revision if before else "", revision.release.revision)
    await site.repository.export(revision.release.revision, site.source_folder(deployment))
    return replace(deployment, release=revision.release, changes=changes)


async def remove_source(site: Site, deployment: Deployment) -> str:
    folder = site.source_folder(deployment)
    if folder.exists():
        await asyncio.to_thread(shutil.rmtree, folder)
    return ""
