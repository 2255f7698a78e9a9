"""The source of a deployment by hand of an image: one of the engine, or of any registry.

The source revision is `image:` and what names the image for ever: its id where only the engine has it, otherwise its
name with the digest of its manifest. An image of the registry that the app follows has the source revision that it has
as an update, so that it is known as the same release.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.apps.context import AppContext
from orchestrator.config.registry_login import RegistryLogin, images_of, login_of
from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.config.source_schema import RegistrySource
from orchestrator.domain.by_hand import IMAGE, NamedImage, engine_image
from orchestrator.domain.image_name import image_name
from orchestrator.domain.release import Release
from orchestrator.engine.local_image import LocalImage, is_of_another
from orchestrator.errors import StepFailed
from orchestrator.sources.base import OneRelease, SourceRelease
from orchestrator.sources.registry import VERSION_LABEL, RegistryImages, version_named, when_built
from orchestrator.sources.web import NotThere, Unauthorised, Web

ON_THIS_MACHINE = ("localhost", "127.0.0.1")


class ImageByHand(OneRelease):
    """One image, as a Source.

    Of a name without a registry the engine's own image is taken, or else that of Docker Hub; of a name with one that of
    the registry, or else the engine's own. If the registry does not answer, nothing is deployed: what the engine has by
    the name may be an older one.
    """

    def __init__(self, context: AppContext, asked: NamedImage, web: Web | None = None) -> None:
        self._context = context
        self._asked = asked
        self._settings = _settings(context, asked) if asked.name else None
        self._registry = (
            RegistryImages(self._settings, context.config_file.parent, web, context.known_secrets)
            if self._settings
            else None
        )

    async def origin(self) -> str:
        return f"image {self._asked.given}"

    async def newest(self, ref: str = "") -> SourceRelease:
        """The image as it is now, whatever `ref` is. Raises StepFailed if there is none, and EngineError."""
        if not self._asked.names_registry and (local := await self._of_engine()):
            return local
        try:
            return await self._of_registry()
        except StepFailed as error:
            if not isinstance(error.__cause__, (NotThere, Unauthorised)):
                if self._asked.names_registry or not self._asked.name:
                    raise
                raise self._not_in_the_engine(error) from error
            if local := await self._of_engine():
                return local
            raise self._nowhere(error.__cause__) from error

    async def fetch(self, source_revision: str, folder: Path) -> None:
        """Write a Dockerfile that is the image of the registry; of the engine's own there is nothing to fetch."""
        if engine_image(source_revision):
            folder.mkdir(parents=True, exist_ok=True)
        elif self._registry:
            await self._registry.fetch(source_revision.rpartition("@")[2], folder)

    async def _of_registry(self) -> SourceRelease:
        if self._registry is None or self._settings is None:
            raise self._nowhere(None)
        found = await self._registry.newest(self._asked.reference)
        digest, version = found.release.source_revision, found.release.version
        followed = images_of(self._context.config)
        if not followed or image_name(followed.image) != self._asked.in_registry:
            digest = f"{IMAGE}{self._asked.name}@{digest}"
        return SourceRelease(Release(version, digest), found.released_at)

    async def _of_engine(self) -> SourceRelease | None:
        """Raises StepFailed for an image of another app, or of Changeover itself."""
        found = await self._context.engine.find_image(self._asked.given)
        if found is None:
            return None
        stack, mine = self._context.engine.stack, self._context.image_name
        names = [f"{self._asked.name}:"] if self._asked.name else list(found.tags)
        if is_of_another(names, stack, mine):
            raise StepFailed(
                f"{self._asked.given} is an image of another app, or of Changeover itself: {self._context.name} does "
                "not get it.",
                "Name another image.",
            )
        return SourceRelease(Release(_version(self._asked, found), f"{IMAGE}{found.digest}"), when_built(found.created))

    def _not_in_the_engine(self, error: StepFailed) -> StepFailed:
        """Of a name without a registry: the engine was asked first. It may be a misspelt name of an image there."""
        return StepFailed(
            f"The engine has no image {self._asked.given}, so Docker Hub was asked: {error.cause}",
            f"Correct the name of the image, or build it on this host. To use Docker Hub: {error.remedy}",
        )

    def _nowhere(self, why: NotThere | Unauthorised | None) -> StepFailed:
        if self._registry is None:
            return StepFailed(
                f"The engine has no image {self._asked.given[:19]}.", "List its images: docker images --no-trunc"
            )
        remedy = "Push it there, build it on this host, or correct its name."
        if isinstance(why, Unauthorised):
            remedy += (
                " If it is private, name the registry with user and password in update.registry of the app: a registry "
                "may say so of an image that does not exist."
            )
        return StepFailed(f"Neither {self._asked.in_registry.host} nor the engine has {self._asked.given}.", remedy)


def login_for(context: AppContext, asked: NamedImage) -> RegistryLogin | None:
    """As whom the image is fetched: with the app's credentials for its registry, if it has some, otherwise as anybody.

    Raises StepFailed when the file with the password cannot be read.
    """
    if not asked.name:
        return None
    try:
        login = login_of(_settings(context, asked), context.config_file.parent)
    except SecretUnreadable as error:
        raise StepFailed(error.cause, error.remedy) from error
    if login:
        context.known_secrets.know({login.password})
    return login


def _settings(context: AppContext, asked: NamedImage) -> RegistrySource:
    """Of the app's registry, if it is that of the image: what is secret is not sent to another one. The key of
    signatures is that of the image that the app follows, and of no other one."""
    known, host = context.config.update.registry, asked.in_registry.host
    if known and image_name(known.image).host == host:
        key = known.cosign_key if image_name(known.image) == asked.in_registry else None
        changed = {"image": asked.name, "version_range": None, "tag": asked.tag or "latest", "cosign_key": key}
        return known.model_copy(update=changed)
    insecure = host.partition(":")[0] in ON_THIS_MACHINE
    return RegistrySource(image=asked.name, tag=asked.tag or "latest", insecure=insecure)


def _version(asked: NamedImage, found: LocalImage) -> str:
    return version_named(asked.tag, found.labels.get(VERSION_LABEL, ""), found.digest)
