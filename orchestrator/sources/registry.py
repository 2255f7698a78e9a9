"""The registry source: an image that somebody else has built. Its source revisions are digests of manifests."""

from __future__ import annotations

import asyncio
import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path

from packaging.specifiers import SpecifierSet

from border.plain import one_line
from border.secrets import Secrets
from orchestrator.config.registry_login import login_of
from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.config.source_schema import RegistrySource
from orchestrator.domain.changelog import Changelog
from orchestrator.domain.image_name import DIGEST, TAG, image_name
from orchestrator.domain.release import Release
from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources import cosign, image_changelog
from orchestrator.sources.base import SourceRelease, SourceVersion, followed_first
from orchestrator.sources.moment import in_utc
from orchestrator.sources.registry_client import RegistryClient, Tagged
from orchestrator.sources.versions import SEMVER, Scheme, is_in, is_version, newest_first
from orchestrator.sources.web import NotThere, Unauthorised, Web

VERSION_LABEL = "org.opencontainers.image.version"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MOST_OF_VERSION = 100
MOST_SHOWN = 5
"""Of an image's tags, where none is the wanted one."""


class RegistryImages:
    """Releases as images of a registry: what a tag stands for, or the newest tag of a range of versions.

    `folder`: where the paths of the configuration begin.
    """

    def __init__(
        self,
        settings: RegistrySource,
        folder: Path,
        web: Web | None = None,
        known_secrets: Secrets | None = None,
        scheme: Scheme = SEMVER,
    ) -> None:
        self._scheme = scheme
        self._settings = settings
        self._folder = folder
        self._web = web or Web()
        self._border = known_secrets or Secrets()
        self._image = image_name(settings.image)
        self._known: dict[str, Tagged] = {}
        self._last: tuple[tuple[str, str], Changelog] | None = None
        self._names: dict[str, str] = {}
        """The digest that was found last by a tag, and the tag: an update is deployed by digest, as this version."""
        self._signed: set[tuple[str, str]] = set()
        """Keys, each with a digest of which it has a signature: not asked for again, since it remains one."""
        self._platform = ARCHITECTURES.get(platform.machine(), platform.machine())

    async def origin(self) -> str:
        """The image, with its registry and what is followed of it."""
        follows = self._settings.version_range or self._settings.tag
        return f"{self._image}, {follows}"

    async def newest(self, ref: str = "") -> SourceRelease:
        """Ask the registry. `ref`: a tag or a digest; empty: the tag that is followed, or the newest of the range.

        Raises StepFailed when the registry does not answer, has no such tag, or no signature where one is needed.
        """
        try:
            client = self._client()
            reference = ref or (await self._newest_tag(client) if self._settings.version_range else self._settings.tag)
            if not TAG.fullmatch(reference) and not DIGEST.fullmatch(reference):
                raise NotThere(f"'{reference[:80]}' is neither a tag nor a digest.")
            found = await client.tagged(reference, self._known.get(reference), self._platform)
        except NotThere as error:
            raise StepFailed(
                f"{self._image} has no tag or digest '{(ref or self._settings.tag)[:80]}'.",
                "Correct update.registry.image, update.registry.tag, or the --ref that was given.",
            ) from error
        except Unauthorised as error:
            raise StepFailed(error.cause, self._why_unauthorised()) from error
        await self._refuse_unsigned(client, reference, found.digest)
        if not DIGEST.fullmatch(reference):
            self._names = {found.digest: reference}
        self._known = {reference: found}
        return SourceRelease(Release(self._version(reference, found), found.digest), when_built(found.created))

    async def _refuse_unsigned(self, client: RegistryClient, reference: str, digest: str) -> None:
        if not (file := self._settings.cosign_key):
            return
        key = cosign.read_key(self._folder, file)
        if (key, digest) not in self._signed:
            signatures = await client.signatures(digest)
            cosign.refuse_unsigned(str(self._image), reference, digest, signatures, key, file)
            self._signed.add((key, digest))

    def _why_unauthorised(self) -> str:
        if self._settings.username:
            return "Correct update.registry.image, or the user and password that the configuration names."
        return (
            "Correct update.registry.image: a registry may say so of an image that does not exist. If it is private, "
            "set update.registry.username and update.registry.password_file."
        )

    async def _newest_tag(self, client: RegistryClient) -> str:
        wanted = SpecifierSet(self._settings.version_range or "")
        tags = await client.tags()
        # In a thread: thousands of tags take half a second.
        newest = await to_its_end(asyncio.to_thread(_newest, tags, wanted, self._scheme))
        if not newest:
            some = await to_its_end(asyncio.to_thread(_some, tags))
            raise StepFailed(
                f"{self._image} has no tag in the range {self._settings.version_range}. {some}",
                "Correct update.registry.version_range, or push such a tag.",
            )
        return newest

    async def versions(self) -> tuple[SourceVersion, ...]:
        """Ask the registry for its tags: versions first, then the others. It does not say when they were pushed."""
        wanted = SpecifierSet(self._settings.version_range) if self._settings.version_range else None
        try:
            tags = await self._client().tags()
        except NotThere as error:
            raise StepFailed(f"{self._image} is not in its registry.", "Correct update.registry.image.") from error
        except Unauthorised as error:
            raise StepFailed(error.cause, self._why_unauthorised()) from error

        def in_order() -> list[tuple[str, bool]]:
            order = newest_first(tags)
            known = [*order, *sorted(set(tags) - set(order))]
            return followed_first(known, lambda tag: is_in(tag, wanted) if wanted else tag == self._settings.tag)

        listed = await to_its_end(asyncio.to_thread(in_order))
        return tuple(SourceVersion(tag, tag, None, is_followed) for tag, is_followed in listed)

    def forget(self) -> None:
        self._known = {}
        self._signed = set()

    def _version(self, reference: str, found: Tagged) -> str:
        """By its label or tag; with some digits of the digest where those say nothing, such as `latest`."""
        reference = self._names.get(reference, reference)
        label = found.labels.get(VERSION_LABEL, "")
        if self._settings.version_range and is_version(reference):
            return reference
        return version_named("" if DIGEST.fullmatch(reference) else reference, label, found.digest)

    async def changelog(self, since: str, until: str) -> Changelog:
        """What the labels of the image say, and the size of the layers that the live one has not."""
        if self._last is None or self._last[0] != (since, until):
            client = self._client()
            new = await self._by_digest(client, until)
            live = await self._by_digest(client, since) if since else None
            self._last = (since, until), image_changelog.of(new, live, self._border) if new else Changelog()
        return self._last[1]

    async def _by_digest(self, client: RegistryClient, digest: str) -> Tagged | None:
        """What a digest stands for; None if the registry does not have it any more, or it is none."""
        known = next((one for one in self._known.values() if one.digest == digest), None)
        if known or not DIGEST.fullmatch(digest):
            return known
        try:
            return await client.tagged(digest, platform=self._platform)
        except StepFailed:
            return None  # what is not known of it is said

    async def is_older(self, revision: str, than: str) -> bool:
        """A registry does not know which of two digests came first."""
        return False

    async def fetch(self, source_revision: str, folder: Path) -> None:
        """Write a Dockerfile that is this image and nothing else: the builder fetches exactly this digest."""
        if not DIGEST.fullmatch(source_revision):
            raise StepFailed(f"'{source_revision[:80]}' is not the digest of an image.", "Deploy the app again.")
        await self._refuse_unsigned(self._client(), source_revision, source_revision)
        if folder.exists():
            await to_its_end(asyncio.to_thread(shutil.rmtree, folder))
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text(f"FROM {self._image}@{source_revision}\n")

    def _client(self) -> RegistryClient:
        try:
            login = login_of(self._settings, self._folder)
        except SecretUnreadable as error:
            raise StepFailed(error.cause, error.remedy) from error
        if login:
            self._border.know({login.password})
        return RegistryClient(self._image, self._web, login, self._settings.insecure)


def _some(tags: list[str]) -> str:
    """Which ones there are, versions first."""
    order = newest_first(tags)
    shown = [*order, *sorted(set(tags) - set(order))][:MOST_SHOWN]
    return f"Tags that it has, {len(tags)} in all: {', '.join(shown)}." if shown else "It has no tag."


def _newest(tags: list[str], wanted: SpecifierSet, scheme: Scheme) -> str:
    """The newest tag in the range; empty if there is none."""
    return next((tag for tag in newest_first(tags, scheme) if is_in(tag, wanted)), "")


def version_named(tag: str, label: str, digest: str) -> str:
    """The version of an image: what its label says, or its tag; with some digits of the digest where those say nothing.
    `tag` is empty for one that was named by its digest."""
    labelled = one_line(label)[:MOST_OF_VERSION]
    if is_version(labelled):
        return labelled
    if is_version(tag):
        return tag
    digits = digest.removeprefix("sha256:")[:7]
    return f"{tag}-{digits}" if tag else digits


def when_built(text: str) -> datetime | None:
    """When the image was built. None for what is no date, and for the beginning of Unix time, which reproducible builds
    write."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return in_utc(found) if found.year > datetime.fromtimestamp(0, UTC).year else None
