"""Who requests deployments without a person: what `Deployment.requested_by` has then, and nobody else's requests."""

from __future__ import annotations

BY_PUSH, BY_AUTO_UPDATE = "push", "auto_update"
BY_FIRST_START, BY_REBUILD = "first start", "rebuilt from what runs"
WITHOUT_PERSON = frozenset({BY_PUSH, BY_AUTO_UPDATE, BY_FIRST_START, BY_REBUILD})


def asker(token: str) -> str:
    """What `Deployment.requested_by` has for a token of this name, which may be the one of a part of Changeover."""
    return f"token {token}" if token in WITHOUT_PERSON else token
