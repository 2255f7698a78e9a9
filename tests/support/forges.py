"""Deliveries as forges send them: what each signs, and how."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field, replace

import httpx

from orchestrator.domain.push_check import Forge
from orchestrator.pushes.announcement import EVENTS_OF_REGISTRY
from tests.support.user import NO_TLS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""That of Standard Webhooks' own examples."""
JSON = "application/json"


@dataclass(frozen=True)
class Sent:
    """One delivery: its headers and its body."""

    forge: Forge
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def with_headers(self, **headers: str) -> Sent:
        return replace(self, headers=self.headers | {name.replace("_", "-"): one for name, one in headers.items()})

    def post(self, url: str, app: str = "shop", client: httpx.Client | None = None) -> httpx.Response:
        """`client`: one that was made before, where the time of the answer counts."""
        where = f"{url}/v1/hooks/{app}/{self.forge}"
        if client:
            return client.post(where, content=self.body, headers=self.headers)
        return httpx.post(where, content=self.body, headers=self.headers, timeout=30, verify=NO_TLS)


def git_push(ref: str = "refs/heads/main", after: str = "b" * 40, **more: object) -> dict[str, object]:
    """The fields that all forges have, and some that we do not know."""
    return {
        "ref": ref,
        "before": "a" * 40,
        "after": after,
        "repository": {"default_branch": "main", "full_name": "me/shop"},
        "project": {"default_branch": "main"},
        "commits": [{"id": after, "modified": ["shop.py"], "author": None}],
        **more,
    }


def image_push(repository: str = "shop", tag: str = "stable", action: str = "push") -> dict[str, object]:
    """As Debian's docker-registry notifies."""
    target = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "repository": repository, "tag": tag}
    return {"events": [{"id": str(uuid.uuid4()), "action": action, "target": target}]}


def delivery(forge: Forge, content: object, *, event: str = "push", secret: str = SECRET, identifier: str = "") -> Sent:
    """Signed as the forge does today."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    identifier = identifier or str(uuid.uuid4())
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"content-type": JSON}
    match forge:
        case Forge.GITHUB:
            headers |= {"x-github-event": event, "x-github-delivery": identifier}
            headers |= {"x-hub-signature-256": f"sha256={signature}"}
        case Forge.GITLAB:
            names = {"push": "Push Hook", "tag_push": "Tag Push Hook"}
            headers |= {"x-gitlab-event": names.get(event, event), "idempotency-key": identifier}
            headers |= standard(identifier, int(time.time()), body, secret)
        case Forge.GITEA:
            headers |= {"x-gitea-event": event, "x-gitea-delivery": identifier, "x-gitea-signature": signature}
        case Forge.FORGEJO:
            headers |= {"x-forgejo-event": event, "x-forgejo-delivery": identifier}
            headers |= {"x-forgejo-signature": signature, "x-gitea-event": event}
        case Forge.REGISTRY:
            headers = {"content-type": EVENTS_OF_REGISTRY, "authorization": f"Bearer {secret}"}
    return Sent(forge, body, headers)


def standard(identifier: str, moment: int, body: bytes, secret: str) -> dict[str, str]:
    """Signed by Standard Webhooks, independently of the code that is tested."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.new(key, f"{identifier}.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
