"""Step 3, build: the release's image."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.config.build_secret import BuildSecretUnreadable, build_secret
from orchestrator.config.index_login import login_of_index
from orchestrator.config.registry_login import RegistryLogin, login_of
from orchestrator.config.secret_file import SecretUnreadable
from orchestrator.config.secret_values import of_secret_file
from orchestrator.config.source_schema import PypiSource
from orchestrator.config.value_types import in_bytes
from orchestrator.deploy.build_context import BuildContext, NoDockerfile, build_context
from orchestrator.deploy.image_by_hand import login_for
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.by_hand import NamedImage, digits_of, engine_image, requested
from orchestrator.domain.deployment import Deployment, StepName
from orchestrator.domain.release import Release
from orchestrator.engine.base import Role
from orchestrator.engine.image_build import ImageBuild
from orchestrator.errors import EngineError, StepFailed
from orchestrator.sources.machine_index import index_of

MOST_OF_TAG = 12


class Build(Step):
    """Builds the release's image from the fetched source with BuildKit. Undo does nothing: retention removes images."""

    name = StepName.BUILD

    def describe(self, context: AppContext) -> str:
        target = f", target {context.config.build.target}" if context.config.build.target else ""
        return f"Build the image from {_shown(context)}{target}."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Build the image. Adds its digest to the release, and checks that it has the user of `run.user`.

        Raises StepFailed when there is no Dockerfile, when a link of the source leads out of it, and when the build
        fails or takes longer than `build.timeout` seconds; then with its last lines of output.
        """
        if deployment.release is None:
            raise StepFailed(f"Deployment {deployment.id} has no fetched release to build.")
        image = await _tagged(context, deployment, deployment.release.source_revision)
        if not image:
            # Asked here, since a release that is live by its digest needs no credentials.
            build = _build_of(context, deployment, deployment.release)
            image = await context.engine.build(build, lambda line: context.say(deployment.id, line))
        deployment = replace(deployment, release=replace(deployment.release, image=image))
        if _has_names(context.config.run.user):
            # Before anything is backed up, migrated or started as a user that does not exist.
            spec = container_spec(context, deployment, Role.APP, deployment.container, context.config.run.command)
            await context.engine.check_user(spec)
        return deployment


def _has_names(user: str | None) -> bool:
    """Whether a user or group is named, which only the image can tell the number of."""
    return any(not part.isdigit() for part in (user or "0").split(":"))


async def _tagged(context: AppContext, deployment: Deployment, source_revision: str) -> str:
    """The engine's own image that was named by hand, with a tag of the app, by which it is kept; empty if it is another
    release. Raises StepFailed if it was removed meanwhile."""
    image = engine_image(source_revision)
    if image:
        try:
            await context.engine.tag_image(image, _tag(context, deployment, source_revision))
        except EngineError as error:
            raise StepFailed(f"The image cannot be used: {error.cause}", error.remedy) from error
    return image


def _build_of(context: AppContext, deployment: Deployment, release: Release) -> ImageBuild:
    """What is built for a release, and how. An image of a registry is taken as it is, whatever `build` says."""
    settings, tree = context.config.build, context.source_folder(deployment)
    tag = _tag(context, deployment, release.source_revision)
    by_hand = requested(release.source_revision)
    if isinstance(by_hand, NamedImage):
        built = build_context(tree, ".", "Dockerfile")
        return ImageBuild(built.folder, built.dockerfile, tag, settings.timeout, login=login_for(context, by_hand))
    built = _context_of(context, release, tree)
    return ImageBuild(
        folder=built.folder,
        dockerfile=built.dockerfile,
        tag=tag,
        timeout_s=settings.timeout,
        target=settings.target,
        args=settings.args,
        memory_bytes=in_bytes(settings.memory) if settings.memory else None,
        secrets={name: _secret(context, name, file) for name, file in settings.secrets.items()},
        login=_login(context),
        secret_texts=_index_login(context) if not by_hand else {},
    )


def _context_of(context: AppContext, release: Release, tree: Path) -> BuildContext:
    """What of the tree is built. Raises StepFailed if it has no Dockerfile where that belongs.

    An archive is that of a repository, with the app's folder in it, or of this folder alone.
    """
    settings, path = context.config.build, context.config.update.built_path
    is_archive = bool(requested(release.source_revision))
    if is_archive and not (tree / path / settings.dockerfile).exists():
        path = "."
    try:
        return build_context(tree, path, settings.dockerfile, settings.context)
    except NoDockerfile as error:
        raise StepFailed(
            f"{release.version} of {context.name} has no file {_shown(context)}.",
            where_it_belongs("url" if is_archive else context.config.update.source, context.name),
        ) from error


def _tag(context: AppContext, deployment: Deployment, source_revision: str) -> str:
    """One for each deployment: a tag that another build moves leaves an image that any prune removes, although a backup
    names it."""
    return f"{context.image_name}:{tag_part(digits_of(source_revision))}-{deployment.id}"


def tag_part(source_revision: str) -> str:
    """As much of it as may stand in a tag: a version may have a `+` or `!`, and any length."""
    return re.sub(r"[^\w.-]", "_", source_revision, flags=re.ASCII)[:MOST_OF_TAG].lstrip(".-") or "_"


def _login(context: AppContext) -> RegistryLogin | None:
    """As whom the image of a registry is fetched. Raises StepFailed when the file with the password cannot be read."""
    registry = context.config.update.registry
    if context.config.update.source != "registry" or registry is None:
        return None
    try:
        login = login_of(registry, context.config_file.parent)
    except SecretUnreadable as error:
        raise StepFailed(error.cause, error.remedy) from error
    if login:
        context.known_secrets.know({login.password})
    return login


def _index_login(context: AppContext) -> dict[str, str]:
    """The secret `netrc` with which pip and uv ask the package index in the build. Raises StepFailed when the file with
    the password cannot be read."""
    pypi = context.config.update.followed
    if not isinstance(pypi, PypiSource) or "netrc" in context.config.build.secrets:
        return {}
    try:
        login = login_of_index(pypi.credentials_file, index_of(pypi), context.config_file.parent)
    except SecretUnreadable as error:
        raise StepFailed(error.cause, error.remedy) from error
    if login is None:
        return {}
    context.known_secrets.know({login.password})
    return {"netrc": login.as_netrc}


def where_it_belongs(source: str, app: str) -> str:
    """What to do about a Dockerfile that is not there."""
    match source:
        case "git":
            return f"Commit it, or correct build.dockerfile, build.context and update.git.path of {app}."
        case "url":
            return f"Put it into the archive, or correct build.dockerfile and build.context of {app}."
        case _:
            return f"Remove build.dockerfile and build.context of {app}: it is built without them."


def _secret(context: AppContext, name: str, file: str) -> Path:
    """The file of a build secret. Raises StepFailed when it cannot be read."""
    try:
        found = build_secret(context.config_file.parent, name, file)
    except BuildSecretUnreadable as error:
        raise StepFailed(error.cause, error.remedy) from error
    # The file may have changed since the configuration was loaded.
    context.known_secrets.know(of_secret_file(found))
    return found


def _shown(context: AppContext) -> str:
    """The Dockerfile's path in the repository."""
    return f"{context.config.update.built_path.rstrip('/')}/{context.config.build.dockerfile}".removeprefix("./")
