"""A registry of images (OCI Distribution Specification 1.1): tags, and what a tag stands for now."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from orchestrator.config.registry_login import RegistryLogin
from orchestrator.domain.image_name import DOCKER_HUB, ImageName
from orchestrator.errors import StepFailed
from orchestrator.sources.web import Page, Unauthorised, Web, refuse_to_follow

MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
HUB_ADDRESS = "registry-1.docker.io"
MOST_TAGS, TAGS_A_PAGE = 20_000, 1000
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Tagged:
    """What a tag stands for. `page`: the manifest as it was read, with which the next request may find it unchanged."""

    digest: str
    page: Page
    labels: Mapping[str, str]
    created: str


@dataclass
class RegistryClient:
    """Asks a registry for one image. `insecure`: without encryption."""

    image: ImageName
    web: Web
    login: RegistryLogin | None = None
    insecure: bool = False
    _authorization: str = field(default="", init=False, repr=False)

    async def tags(self) -> list[str]:
        """All tags of the image, in the registry's order. Raises StepFailed."""
        found: list[str] = []
        path = f"tags/list?{urlencode({'n': TAGS_A_PAGE})}"
        while True:
            page = await self._get(path, "application/json")
            listed = _json(page).get("tags")
            some = [tag for tag in listed if isinstance(tag, str)] if isinstance(listed, list) else []
            found += some
            if not page.has_next or not some or len(found) >= MOST_TAGS:
                return found[:MOST_TAGS]
            path = f"tags/list?{urlencode({'n': TAGS_A_PAGE, 'last': some[-1]})}"

    async def tagged(self, reference: str, known: Tagged | None = None, platform: str = "amd64") -> Tagged:
        """What a tag or digest stands for; `known` if that is unchanged. Raises StepFailed, and NotThere."""
        page = await self._get(f"manifests/{reference}", MANIFESTS, known.page if known else None)
        if known and page is known.page:
            return known
        manifest = _json(page)
        if "manifests" in manifest:
            chosen = _of_platform(manifest["manifests"], platform)
            manifest = _json(await self._get(f"manifests/{chosen}", MANIFESTS))
        config = manifest.get("config")
        described = config.get("digest") if isinstance(config, dict) else None
        if not isinstance(described, str) or not DIGEST.fullmatch(described):
            raise StepFailed(f"{self.image}:{reference} is not an image that can be run.", "Name another tag.")
        about = _json(await self._get(f"blobs/{described}", "application/octet-stream"))
        inner = about.get("config")
        labels = inner.get("Labels") if isinstance(inner, dict) else None
        texts = {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}
        return Tagged(page.digest, page, texts, str(about.get("created") or ""))

    async def _get(self, path: str, accept: str, known: Page | None = None) -> Page:
        host = HUB_ADDRESS if self.image.host == DOCKER_HUB else self.image.host
        url = f"{'http' if self.insecure else 'https'}://{host}/v2/{self.image.repository}/{path}"
        try:
            return await self.web.page(url, accept, known, authorization=self._authorization)
        except Unauthorised as error:
            self._authorization = await self._authorized(url, error)
            return await self.web.page(url, accept, known, authorization=self._authorization)

    async def _authorized(self, url: str, refused: Unauthorised) -> str:
        """What the registry asks for: name and password, or a token that its own server gives for them."""
        kind, _, rest = refused.challenge.partition(" ")
        basic = _basic(self.login) if self.login else ""
        if kind.lower() == "basic" and basic:
            return basic
        asked = dict(_CHALLENGE.findall(rest))
        if kind.lower() != "bearer" or not asked.get("realm", "").startswith(("https://", "http://")):
            raise refused
        await refuse_to_follow(url, asked["realm"])
        wanted = {name: asked[name] for name in ("service", "scope") if name in asked}
        page = await self.web.page(f"{asked['realm']}?{urlencode(wanted)}", "application/json", authorization=basic)
        answer = _json(page)
        token = answer.get("token") or answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise refused
        return f"Bearer {token}"


def _basic(login: RegistryLogin) -> str:
    return "Basic " + base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def _of_platform(manifests: Any, platform: str) -> str:  # Any: JSON
    """The digest of the image for this machine, in a list of images for several."""
    for one in manifests if isinstance(manifests, list) else ():
        about = one.get("platform") if isinstance(one, dict) else None
        if isinstance(about, dict) and about.get("os") == "linux" and about.get("architecture") == platform:
            digest = one.get("digest")
            if isinstance(digest, str) and DIGEST.fullmatch(digest):
                return digest
    raise StepFailed(f"The image has none for linux/{platform}, which this machine needs.", "Build it for that, too.")


def _json(page: Page) -> dict[str, Any]:  # Any: JSON
    try:
        found = json.loads(page.content)
    except (ValueError, RecursionError) as error:
        raise StepFailed(f"{page.url[:200]} is not an answer of a registry: it is no JSON.") from error
    if not isinstance(found, dict):
        raise StepFailed(f"{page.url[:200]} is not an answer of a registry.")
    return found
