"""A registry of images (OCI Distribution Specification 1.1): tags, and what a tag stands for now."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from orchestrator.config.registry_login import RegistryLogin
from orchestrator.domain.image_name import DIGEST, DOCKER_HUB, TAG, ImageName
from orchestrator.errors import StepFailed
from orchestrator.sources.cosign import MOST_SIGNATURES, PAYLOAD, SIGNATURE, Signature, tag_of
from orchestrator.sources.redirects import shown
from orchestrator.sources.web import NotThere, Page, Unauthorised, Web

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
TAGS_WITHIN_S = 120.0
MOST_OF_ANSWER = 4 * 2**20
"""Bytes. As large as a registry should take manifests (OCI Distribution Specification, "Pushing Manifests")."""
_BEARER = re.compile(r"(?:^|,)\s*bearer\s+(.*)", re.IGNORECASE)
_BASIC = re.compile(r"(?:^|,)\s*basic\b", re.IGNORECASE)
_PARAMETER = re.compile(r'(?<!\w)(\w+)="([^"]*)"')
_TOKEN = re.compile(r"[\x21-\x7e]{1,16000}")
"""What can be sent in a header."""
_FOLLOW_ONE_TAG = "Follow one tag: set update.registry.tag instead of update.registry.version_range."


@dataclass(frozen=True)
class Tagged:
    """What a tag stands for. `page`: with it, without its content, the next request may find the manifest unchanged."""

    digest: str
    page: Page
    labels: Mapping[str, str]
    created: str
    layers: Mapping[str, int] = field(default_factory=dict)
    """The compressed size in bytes of each layer, by its digest; of -1 where the manifest does not say it."""


@dataclass
class RegistryClient:
    """Asks a registry for one image. `insecure`: without encryption."""

    image: ImageName
    web: Web
    login: RegistryLogin | None = None
    insecure: bool = False
    _authorization: str = field(default="", init=False, repr=False)

    async def tags(self) -> list[str]:
        """All tags of the image, in the registry's order. Raises StepFailed, also if they are too many to ask for: the
        newest could be among the others.
        """
        try:
            async with asyncio.timeout(TAGS_WITHIN_S):
                found = await self._tags()
        except TimeoutError as error:
            raise StepFailed(
                f"The tags of {self.image} were not read within {TAGS_WITHIN_S:g} s.", _FOLLOW_ONE_TAG
            ) from error
        return found

    async def _tags(self) -> list[str]:
        found: list[str] = []
        path = f"tags/list?{urlencode({'n': TAGS_A_PAGE})}"
        while True:
            page = await self._get(path, "application/json")
            listed = _json(page).get("tags")
            listed = listed if isinstance(listed, list) else []
            # An answer may have a million: they are not looked at one by one.
            if len(found) + len(listed) > MOST_TAGS:
                raise StepFailed(f"{self.image} has more than {MOST_TAGS:,} tags.", _FOLLOW_ONE_TAG)
            some = [tag for tag in listed if isinstance(tag, str) and TAG.fullmatch(tag)]
            found += some
            if not page.has_next or not some:
                return found
            path = f"tags/list?{urlencode({'n': TAGS_A_PAGE, 'last': some[-1]})}"

    async def tagged(self, reference: str, known: Tagged | None = None, platform: str = "amd64") -> Tagged:
        """What a tag or digest stands for; `known` if that is unchanged. Raises StepFailed, and NotThere."""
        if known and await self._is_unchanged(f"manifests/{reference}", known.page):
            return known
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
        return Tagged(
            page.digest, replace(page, content=b""), texts, str(about.get("created") or ""), _layers(manifest)
        )

    async def signatures(self, digest: str) -> list[Signature]:
        """What cosign has signed of a digest, whoever did. Raises StepFailed."""
        try:
            page = await self._get(f"manifests/{tag_of(digest)}", MANIFESTS)
        except NotThere:
            return []
        listed = _json(page).get("layers")
        layers = [one for one in (listed if isinstance(listed, list) else ()) if _is_signature(one)]
        if len(layers) > MOST_SIGNATURES:
            raise StepFailed(
                f"{self.image} has {len(layers)} signatures of {digest[:19]}…; at most {MOST_SIGNATURES} are read.",
                f"Remove the tag {tag_of(digest)} from the registry, and sign the image again.",
            )
        return [
            Signature((await self._get(f"blobs/{one['digest']}", PAYLOAD)).content, one["annotations"][SIGNATURE])
            for one in layers
        ]

    async def _is_unchanged(self, path: str, known: Page) -> bool:
        """Asked by HEAD: Docker Hub counts a GET as a pull, of which each host has few. False where a registry does not
        answer that; then GET says why."""
        host = HUB_ADDRESS if self.image.host == DOCKER_HUB else self.image.host
        url = f"{'http' if self.insecure else 'https'}://{host}/v2/{self.image.repository}/{path}"
        for _ in range(2):
            try:
                return await self.web.is_unchanged(url, MANIFESTS, known, authorization=self._authorization)
            except Unauthorised as error:
                if self._authorization:
                    return False
                self._authorization = await self._authorized(url, error)
            except StepFailed:
                return False
        return False

    async def _get(self, path: str, accept: str, known: Page | None = None) -> Page:
        host = HUB_ADDRESS if self.image.host == DOCKER_HUB else self.image.host
        url = f"{'http' if self.insecure else 'https'}://{host}/v2/{self.image.repository}/{path}"
        try:
            page = await self._page(url, accept, known)
        except Unauthorised as error:
            self._authorization = await self._authorized(url, error)
            page = await self._page(url, accept, known)
        named = path.rpartition("/")[2]
        if page is not known and DIGEST.fullmatch(named) and page.digest != named:
            raise StepFailed(
                f"{self.image.host} answered with something else than {named[:19]}… of {self.image.repository}.",
                "Nothing of it is used. If a cache is between, empty it; else ask who runs the registry.",
            )
        return page

    async def _page(self, url: str, accept: str, known: Page | None = None) -> Page:
        return await self.web.page(url, accept, known, authorization=self._authorization, most=MOST_OF_ANSWER)

    async def _authorized(self, url: str, refused: Unauthorised) -> str:
        """What the registry asks for: name and password, or a token that its own server gives for them."""
        basic = _basic(self.login) if self.login else ""
        bearer = _BEARER.search(refused.challenge)
        if not bearer and basic and _BASIC.search(refused.challenge):
            return basic
        # A server may offer several ways; the parameters of this one come first.
        asked = dict(reversed(_PARAMETER.findall(bearer[1]))) if bearer else {}
        if not asked.get("realm"):
            raise refused
        realm = asked["realm"]
        wanted = urlencode({name: asked[name] for name in ("service", "scope") if name in asked})
        page = await self.web.page(
            f"{realm}{'&' if '?' in realm else '?'}{wanted}",
            "application/json",
            authorization=basic,
            most=MOST_OF_ANSWER,
            led_from=url,
        )
        answer = _json(page)
        token = answer.get("token") or answer.get("access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
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


def _layers(manifest: dict[str, Any]) -> dict[str, int]:  # Any: JSON
    listed = manifest.get("layers")
    layers = [one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict)]
    return {
        str(one.get("digest")): size if isinstance(size := one.get("size"), int) and size >= 0 else -1 for one in layers
    }


def _is_signature(layer: Any) -> bool:  # Any: JSON
    """Whether it is a layer that cosign keeps a signature in."""
    if not isinstance(layer, dict) or layer.get("mediaType") != PAYLOAD or not isinstance(layer.get("digest"), str):
        return False
    annotations = layer.get("annotations")
    signature = annotations.get(SIGNATURE) if isinstance(annotations, dict) else None
    return isinstance(signature, str) and bool(DIGEST.fullmatch(layer["digest"]))


def _json(page: Page) -> dict[str, Any]:  # Any: JSON
    try:
        found = json.loads(page.content)
    except (ValueError, RecursionError) as error:
        raise StepFailed(f"{shown(page.url)} is not an answer of a registry: it is no JSON.") from error
    if not isinstance(found, dict):
        raise StepFailed(f"{shown(page.url)} is not an answer of a registry.")
    return found
