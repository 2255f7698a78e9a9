"""Step 3: the image, with BuildKit."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.engine.build import build_image
from orchestrator.errors import StepFailed
from orchestrator.model import Deployment
from orchestrator.site import Site


async def image(site: Site, deployment: Deployment) -> Deployment:
    if deployment.release is None:
        raise StepFailed("There is no revision to build.")
    settings, source = site.app.build, site.app.update.git
    context = site.source_folder(deployment) / source.path
    dockerfile = context / settings.dockerfile
    shown = f"{source.path.rstrip('/')}/{settings.dockerfile}".removeprefix("./")
    if not dockerfile.is_file():
        raise StepFailed(
            f"There is no {shown} in {deployment.release.version} of {site.name}.",
            f"Commit one, or set build.dockerfile and update.git.path of {site.name} to where it is.",
        )
    digest = await build_image(
        context,
        dockerfile,
        f"{site.image_name}:{deployment.release.revision[:12]}",
        lambda line: site.say(deployment.id, line),
        target=settings.target,
        args=settings.args,
        timeout_s=settings.timeout,
    )
    return replace(deployment, release=replace(deployment.release, image=digest))
