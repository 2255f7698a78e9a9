"""/v1/apps/{app}/archives: the upload of an archive that is then deployed by its name.

The body is the archive itself, of any length up to the limit. It is read as it arrives, and written to the disk: no
more than a piece of it is in memory.
"""

from __future__ import annotations

import asyncio
import re

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from orchestrator.api.access import Deployer, Serving, require_ready
from orchestrator.api.not_received import NotReceived
from orchestrator.api.values import App
from orchestrator.deploy.used_uploads import names_of
from orchestrator.host.fair_turns import FairTurns
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.archive import LESS
from orchestrator.sources.uploads import MOST_BYTES, PIECE, PIECE_WITHIN_S, WITHIN_S, TooLarge, TooSlow

router = APIRouter(prefix="/apps")

AT_ONCE = (4, 2)
"""So many archives are received at the same time, in total and of one token. Others wait."""
_PATH = re.compile(r"/v1/apps/[^/]+/archives")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Archive(BaseModel):
    """`archive`: the name by which it is deployed, once. `sha256` and `bytes` are those of what arrived."""

    archive: str
    sha256: str
    bytes: int


def is_upload(scope: Scope) -> bool:
    """Whether the body of a request is read by its route, as it arrives."""
    return scope["method"] == "POST" and bool(_PATH.fullmatch(scope["path"]))


@router.post("/{app}/archives", status_code=201, openapi_extra=_BODY)
async def upload(app: App, request: Request, orchestrator: Serving, who: Deployer) -> Archive:
    """Send a tar archive, compressed by gzip or not, that is to be deployed. It is kept for an hour at least, until a
    deployment of it has ended."""
    require_ready(orchestrator)
    context = orchestrator.apps.get(app)
    turns: FairTurns = request.app.state.uploads
    async with turns.turn_of(who.name):
        # Now: a deployment may be asked for while this one waits.
        unfinished = await orchestrator.journal.beside(orchestrator.journal.unfinished)
        context.uploads.make_room(app, names_of(unfinished))
        try:
            kept = await context.uploads.receive(app, request.stream(), context.limits.min_free_bytes)
        except TooLarge as error:
            raise NotReceived(413, f"The archive has more than {MOST_BYTES // 2**20:,} MiB.", LESS) from error
        except TooSlow as error:
            says = (
                f"The archive did not arrive within {WITHIN_S / 60:g} minutes, or was slower than {PIECE // 2**20} MiB "
                f"in {PIECE_WITHIN_S:g} s."
            )
            raise NotReceived(408, says, "Send it from a host with a faster connection.") from error
        except ClientDisconnect as error:  # nobody reads the answer; the audit log has it
            raise NotReceived(400, "The archive did not arrive whole.") from error
    if not kept.size:
        await to_its_end(asyncio.to_thread(context.uploads.remove, app, kept.name))
        raise NotReceived(
            422, "The archive is empty: nothing of it arrived.", "Look at the command that was to make it."
        )
    return Archive(archive=kept.name, sha256=kept.sha256, bytes=kept.size)
